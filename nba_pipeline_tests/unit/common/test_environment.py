"""Variables are parsed in one place: a misspelt or wrong one is refused by name, value and fix; none of them shows a secret."""

import ast
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nba_pipeline.common import clock
from nba_pipeline.common.environment import OF_OTHERS, READ, SECRET_FILES, read_environment, require_known
from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.config.settings import Settings

ROOT = Path(__file__).parents[3]
NAME = re.compile(r"(?<!_)NBA_PIPELINE_[A-Z]+(?:_[A-Z]+)*\b(?!_)")


def test_a_misspelt_variable_names_the_one_that_was_meant() -> None:
    with pytest.raises(ConfigurationError, match=r"NBA_PIPELINE_SORCE is not a variable.*") as error:
        Settings.from_environment({"NBA_PIPELINE_SORCE": "files"})
    assert "did you mean NBA_PIPELINE_SOURCE?" in str(error.value)


def test_variables_of_other_programs_are_none_of_ours() -> None:
    require_known({"NBA_API_PROXY": "x", "HOME": "/", "NBA_PIPELINE_SOURCE": "files"})


@pytest.mark.parametrize(
    ("name", "value", "fix"),
    [
        ("SOURCE", "files ", "set it to one of: simulator, files, nba_stats"),
        ("WAREHOUSE", "snowflake", "set it to one of: duckdb, bigquery"),
        ("SEED", "-1", "give a whole number that is not negative, or leave it unset"),
        ("SEED", "1.5", "give a whole number that is not negative, or leave it unset"),
        ("SEED", "1e99", "give a whole number that is not negative, or leave it unset"),
        ("LOCK_TIMEOUT", "nan", "give a number that is not negative, or leave it unset"),
        ("LOCK_TIMEOUT", "soon", "give a number that is not negative, or leave it unset"),
        ("LIVE_PAUSE", "3601", "give a number from 0 to 3600, or leave it unset"),
        ("LIVE_ATTEMPTS", "0", "give a whole number from 1 to 100, or leave it unset"),
        ("ODDS_MINUTES_BEFORE", "10,ten", "give whole numbers from 0 to 10080, with commas between"),
        ("INJURY_HOURS", "13,24", "give whole numbers from 0 to 23, with commas between"),
        ("MARKETS", "points,goals", "name some of points, rebounds, assists, threes, pra, with commas between, or all"),
        ("MARKETS", ",", "name some of points, rebounds, assists, threes, pra, with commas between, or all"),
        ("NOW", "2024-11-05 12:30", "give a moment with its offset: 2024-11-05T12:30:00-05:00, or leave it unset"),
        ("NOW", "1730826000", "give a moment with its offset: 2024-11-05T12:30:00-05:00, or leave it unset"),
        ("ALERT_EMAIL_PORT", "many", "give a whole number from 1 to 65535, or leave it unset"),
        ("ALERT_EMAIL_SECURITY", "some", "set it to one of: starttls, tls, none"),
    ],
)
def test_a_wrong_value_is_refused_by_name_value_and_fix(name: str, value: str, fix: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        Settings.from_environment({f"NBA_PIPELINE_{name}": value})
    assert (error.value.what, error.value.remedy) == (f"NBA_PIPELINE_{name} is {value!r}", fix)


@pytest.mark.parametrize("name", ["NBA_STATS_URL", "ODDS_API_URL", "INJURIES_URL", "ALERT_WEBHOOK"])
def test_a_wrong_address_is_refused_without_showing_it_since_it_may_contain_a_password(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"NBA_PIPELINE_{name} is not ") as error:
        read_environment({f"NBA_PIPELINE_{name}": "ftp://user:hush@host"})
    assert "hush" not in f"{error.value}{error.value.__cause__}{error.value.__context__}"


def test_all_wrong_values_are_named_at_once_each_with_its_fix() -> None:
    with pytest.raises(ConfigurationError) as error:
        read_environment({"NBA_PIPELINE_SEED": "x", "NBA_PIPELINE_SOURCE": "file"})
    assert error.value.what == "NBA_PIPELINE_SOURCE is 'file'; NBA_PIPELINE_SEED is 'x'"
    assert error.value.remedy.startswith("NBA_PIPELINE_SOURCE: set it to one of: ")
    assert "; NBA_PIPELINE_SEED: give a whole number" in error.value.remedy


def test_an_empty_variable_counts_as_unset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Settings.from_environment(dict.fromkeys(READ, "")) == Settings.from_environment({})


def test_only_the_given_variables_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBA_PIPELINE_SOURCE", "nba_stats")
    assert read_environment({}).source == "simulator"
    assert read_environment().source == "nba_stats"


def test_values_have_the_types_of_what_they_configure() -> None:
    settings = Settings.from_environment(
        {
            "NBA_PIPELINE_SEED": "7",
            "NBA_PIPELINE_MARKETS": "pra, points",
            "NBA_PIPELINE_PUSHDOWN": "none",
            "NBA_PIPELINE_INJURY_HOURS": "13, 17",
            "NBA_PIPELINE_LIVE_ATTEMPTS": "2",
            "NBA_PIPELINE_ODDS_API_URL": "http://127.0.0.1:9/",
            "DAGSTER_HOME": "/elsewhere",
        }
    )
    assert (settings.seed, settings.markets, settings.pushdown) == (7, ("points", "pra"), frozenset())
    assert (settings.live.report_hours, settings.live.pace.attempts) == ((13, 17), 2)
    assert settings.live.odds_api_url == "http://127.0.0.1:9"
    assert settings.dagster_home == Path("/elsewhere")


def test_the_clock_stands_where_the_variable_puts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBA_PIPELINE_NOW", "2024-11-05T12:30:00-05:00")
    assert clock.now() == datetime(2024, 11, 5, 17, 30, tzinfo=UTC)


def test_no_other_module_touches_the_environment_of_the_process() -> None:
    touching = {
        str(path.relative_to(ROOT / "nba_pipeline"))
        for path in (ROOT / "nba_pipeline").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "putenv")
    }
    assert touching == {"common/environment.py"}


@pytest.mark.parametrize("page", sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")]), ids=lambda p: p.name)
def test_every_variable_of_a_document_exists(page: Path) -> None:
    assert set(NAME.findall(page.read_text(encoding="utf-8"))) - READ - OF_OTHERS - SECRET_FILES.keys() == set()


def test_every_variable_that_is_read_is_documented() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    named = set(NAME.findall(text)) | {f"NBA_PIPELINE_ALERT_EMAIL{end}" for end in re.findall(r"`(_[A-Z]+)`", text)}
    assert {name for name in READ if name.startswith("NBA_PIPELINE_")} - named == set()


def test_a_secret_may_stand_in_a_file_and_an_empty_file_is_none(tmp_path: Path) -> None:
    key, empty = tmp_path / "key", tmp_path / "empty"
    key.write_text("hush\n")
    empty.write_text("")
    found = read_environment(
        {"NBA_PIPELINE_ODDS_API_KEY_FILE": str(key), "NBA_PIPELINE_ALERT_WEBHOOK_FILE": str(empty)}
    )
    assert (found.odds_api_key, found.alert_webhook) == ("hush", None)
    assert "hush" not in repr(found)


def test_a_secret_file_that_is_written_anew_is_read_anew(tmp_path: Path) -> None:
    key = tmp_path / "key"
    for secret in ("hush", "other"):
        key.write_text(secret)
        assert read_environment({"NBA_PIPELINE_ODDS_API_KEY_FILE": str(key)}).odds_api_key == secret


def test_blanks_and_line_ends_around_a_key_are_no_part_of_it() -> None:
    assert read_environment({"NBA_PIPELINE_ODDS_API_KEY": " 0a1b2c\r\n"}).odds_api_key == "0a1b2c"
    assert not read_environment({"NBA_PIPELINE_ODDS_API_KEY": " \n"}).odds_api_key


def test_line_ends_around_the_address_of_a_webhook_are_no_part_of_it() -> None:
    assert (
        read_environment({"NBA_PIPELINE_ALERT_WEBHOOK": "https://host/hush\r\n"}).alert_webhook == "https://host/hush"
    )


def test_addresses_of_alert_services_stand_between_blanks_and_line_ends() -> None:
    found = read_environment({"NBA_PIPELINE_ALERT_APPRISE": "discord://a/b?x=1  tgram://c:d/\r\nmailto://e:f@host\n"})
    assert found.alert_apprise == ("discord://a/b?x=1", "tgram://c:d/", "mailto://e:f@host")
    assert read_environment({}).alert_apprise == ()
    assert "hush" not in repr(read_environment({"NBA_PIPELINE_ALERT_APPRISE": "discord://hush"}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NBA_PIPELINE_ODDS_API_KEY", "hush\nhush"),
        ("NBA_PIPELINE_ODDS_API_KEY", "hush hush"),
        ("NBA_PIPELINE_ODDS_API_KEY", "hush\u00e9"),
        ("NBA_PIPELINE_ODDS_API_KEY", "hush\x00"),
        ("NBA_PIPELINE_NBA_HEADERS", '{"Cookie": "hush\\nhush"}'),
        ("NBA_PIPELINE_NBA_HEADERS", '{"Cookie": "hush\\u20ac"}'),
        ("NBA_PIPELINE_NBA_HEADERS", '{"hush:": "1"}'),
        ("NBA_API_PROXY", "http://user:hush\u20ac@host:1"),
        ("NBA_PIPELINE_ODDS_PROXY", "http://user:hu\nsh@host:1"),
        ("NBA_PIPELINE_ODDS_PROXY", "http://user:hush@host:80x0"),
        ("NBA_PIPELINE_ALERT_APPRISE", " \n"),
        ("NBA_PIPELINE_ALERT_APPRISE", "hush"),
        ("NBA_PIPELINE_ALERT_APPRISE", "discord://hush hush"),
        ("NBA_PIPELINE_ALERT_APPRISE", "://hush"),
        ("NBA_PIPELINE_ALERT_APPRISE", "discord://hu\x00sh"),
        ("NBA_PIPELINE_ODDS_API_URL", "http://host:80x0/hush"),
        ("NBA_PIPELINE_ODDS_API_URL", "http://host/hush hush"),
        *(
            (name, value)
            for name in ("NBA_PIPELINE_ALERT_WEBHOOK", "NBA_PIPELINE_HEARTBEAT_URL")
            for value in (
                *("https://host/hush token", "https://host/hu\nsh", "https://host/hush\u20ac", "https://[/hush"),
                *("https:///hush", "http://host:80x0/hush", "http://host:65536/hush", "https://user:hush@host/"),
            )
        ),
    ],
)
def test_a_secret_that_cannot_be_sent_is_refused_by_name_and_not_shown(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        read_environment({name: value})
    assert error.value.what.startswith(f"{name} is not ")
    shown = f"{error.value}{error.value.__cause__}{error.value.__context__}"
    assert "hush" not in shown and "hu\nsh" not in shown


def test_a_secret_file_that_is_missing_or_stands_beside_the_secret_is_refused(tmp_path: Path) -> None:
    name = "NBA_PIPELINE_ODDS_API_KEY"
    with pytest.raises(ConfigurationError, match=f"{name}_FILE: .* cannot be read"):
        read_environment({f"{name}_FILE": str(tmp_path / "nowhere")})
    with pytest.raises(ConfigurationError, match="both set"):
        read_environment({f"{name}_FILE": str(tmp_path), name: "hush"})
    with pytest.raises(ConfigurationError, match="NBA_PIPELINE_HOME_FILE is not a variable"):
        read_environment({"NBA_PIPELINE_HOME_FILE": str(tmp_path)})
