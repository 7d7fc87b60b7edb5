"""The four checks of every table, as the UI names them."""

from collections.abc import Mapping

CONTRACT = "contract"
HASHES = "hash_fields_complete"
COVERAGE = "coverage"
BUSINESS = "business_rules"
CHECKS: Mapping[str, str] = {
    CONTRACT: "Columns and types are the contract's and the key is unique.",
    HASHES: "Every required field is filled and every row's data_hash recomputes from its hash fields.",
    COVERAGE: "Every row that the schedule or the upstream table demands is there, or its absence is explained.",
    BUSINESS: "Values are in range, identities hold, and sums agree with other tables.",
}
