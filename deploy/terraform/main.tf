# Datasets, buckets and one service account with what it needs and no more. docs/deploy.md says what each role is for.
terraform {
  required_version = ">= 1.5"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 5.0, < 8.0"
    }
  }
}

variable "project" {
  type        = string
  description = "Id of the Google Cloud project."
}

variable "location" {
  type        = string
  description = "Location of datasets and buckets; it cannot be changed later."
  default     = "US"
}

variable "prefix" {
  type        = string
  description = "What stands before every dataset's name, as NBA_PIPELINE_BIGQUERY_PREFIX."
  default     = ""
}

variable "kubernetes_namespace" {
  type        = string
  description = "Namespace of the Kubernetes service account nba-pipeline that may act as ours; empty: none."
  default     = ""
}

provider "google" {
  project = var.project
}

locals {
  kept     = toset(["nba_raw", "nba_analytics", "nba_precompute", "nba_predictions", "nba_ops"])
  datasets = setunion(local.kept, ["nba_staging"])
  buckets  = { files = "${var.project}-nba-pipeline", logs = "${var.project}-nba-logs" }
  services = toset(["bigquery.googleapis.com", "bigquerystorage.googleapis.com", "storage.googleapis.com", "iam.googleapis.com"])
  member   = "serviceAccount:${google_service_account.pipeline.email}"
}

resource "google_project_service" "needed" {
  for_each           = local.services
  service            = each.value
  disable_on_destroy = false
}

resource "google_service_account" "pipeline" {
  account_id   = "nba-pipeline"
  display_name = "NBA pipeline"
}

resource "google_bigquery_dataset" "tables" {
  for_each                    = local.datasets
  dataset_id                  = "${var.prefix}${each.value}"
  location                    = var.location
  default_table_expiration_ms = each.value == "nba_staging" ? 86400000 : null
  max_time_travel_hours       = each.value == "nba_staging" ? 48 : 168
  depends_on                  = [google_project_service.needed]
}

resource "google_bigquery_dataset_iam_member" "editor" {
  for_each   = google_bigquery_dataset.tables
  dataset_id = each.value.dataset_id
  role       = "roles/bigquery.dataEditor"
  member     = local.member
}

resource "google_project_iam_member" "jobs" {
  for_each = toset(["roles/bigquery.jobUser", "roles/bigquery.readSessionUser"])
  project  = var.project
  role     = each.value
  member   = local.member
}

resource "google_storage_bucket" "files" {
  for_each                    = local.buckets
  name                        = each.value
  location                    = var.location
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  versioning {
    enabled = each.key == "files"
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age                = each.key == "logs" ? 90 : null
      num_newer_versions = each.key == "files" ? 5 : null
    }
  }
}

resource "google_storage_bucket_iam_member" "files" {
  bucket = google_storage_bucket.files["files"].name
  role   = "roles/storage.objectUser"
  member = local.member
}

# Dagster looks the bucket of its logs up before it uses it, hence the right to read the bucket itself.
resource "google_storage_bucket_iam_member" "logs" {
  for_each = toset(["roles/storage.objectUser", "roles/storage.legacyBucketReader"])
  bucket   = google_storage_bucket.files["logs"].name
  role     = each.value
  member   = local.member
}

resource "google_service_account_iam_member" "kubernetes" {
  count              = var.kubernetes_namespace == "" ? 0 : 1
  service_account_id = google_service_account.pipeline.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:${var.project}.svc.id.goog[${var.kubernetes_namespace}/nba-pipeline]"
}

output "environment" {
  description = "What the pipeline must be told."
  value = {
    NBA_PIPELINE_WAREHOUSE         = "bigquery"
    NBA_PIPELINE_BIGQUERY_PROJECT  = var.project
    NBA_PIPELINE_BIGQUERY_LOCATION = var.location
    NBA_PIPELINE_BIGQUERY_PREFIX   = var.prefix
    NBA_PIPELINE_BUCKET            = "gs://${google_storage_bucket.files["files"].name}/props"
    NBA_PIPELINE_LOG_BUCKET        = google_storage_bucket.files["logs"].name
  }
}
