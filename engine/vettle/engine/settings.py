"""What a project may configure, in `.vettle/config.toml`, with the defaults that were measured to work."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from vettle.engine.errors import ConfigurationInvalid
from vettle.engine.records import Target
from vettle.engine.suggesting import hint

_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ScoreSettings(_Section):
    """How a session's score comes from its rewards and its mistakes (see `sessions.score`)."""

    reward_share: _Share = 0.5
    mistakes_cap: int = Field(default=2, ge=1, le=100)
    repeat_counts: int = Field(
        default=1, ge=1, le=100, description="How many mistakes a repeated one counts as."
    )


class SelectionSettings(_Section):
    """Which rules a session shows.

    `min_effect` is the least believed effect worth a reader's attention; `token_price` is subtracted per
    token of a rule, both in units of the score. `holdout` is the share of sessions that show nothing.
    """

    min_effect: _Share = 0.02
    token_price: float = Field(default=2e-5, ge=0, le=0.01, allow_inf_nan=False)
    holdout: _Share = 0.0


class SessionSettings(_Section):
    """When a session that nobody ends, or nobody rewards, is closed; one that was rewarded but not ended then ends."""

    abandoned_after_hours: float = Field(default=24, gt=0, le=24 * 365, allow_inf_nan=False)
    unrewarded_after_days: float = Field(default=7, gt=0, le=365, allow_inf_nan=False)


class TargetBudget(_Section):
    """What one target is given, where it differs from the rest."""

    rules: int | None = Field(default=None, ge=0, le=500)
    characters: int | None = Field(default=None, ge=0, le=100_000)
    file_limit: int | None = Field(default=None, ge=500, le=10_000_000)


class RenderSettings(_Section):
    """How many rules a rule file may hold: of the always-on rules, and of the rules about the same paths.

    `characters` counts whole lines. `targets` overrides both for one target, and `file_limit` there says how
    long the file may get together with the user's own text before its reader stops reading.
    """

    rules: int = Field(default=25, ge=0, le=500)
    characters: int = Field(default=2_500, ge=0, le=100_000)
    targets: dict[Target, TargetBudget] = {}


class ExperimentSettings(_Section):
    """How many experiments may be open at once, and how fast policies that use variants forget.

    A result counts half after `half_life` later ones; 0 means that it always counts whole. Verdicts never forget.
    """

    running: int = Field(default=10, ge=1, le=1_000)
    half_life: int = Field(default=0, ge=0, le=1_000_000)


class RankingSettings(_Section):
    """Where a challenger may be tried beside the best known variant, and on what share of the work.

    `low_risk` names the contexts in which a bad result costs little; elsewhere none is ever proposed.
    """

    low_risk: list[str] = []
    challenger_share: float = Field(default=0.1, gt=0, le=0.5, allow_inf_nan=False)


class ProposalSettings(_Section):
    """Which model is asked for proposals, and how long and how much it may answer.

    `model` may also come from VETTLE_OPENAI_MODEL, which goes first; without a name no model is asked.
    `seconds` bounds the whole of asking, a repair included; `tokens` bounds one answer.
    """

    model: str = Field(default="", max_length=200)
    seconds: float = Field(default=30, gt=0, le=600, allow_inf_nan=False)
    tokens: int = Field(default=2_000, ge=100, le=100_000)


class HookSettings(_Section):
    """What the assistants' own hooks do; sessions that they start are of one `context` and show at most `k` rules.

    `remember_failures` logs failed tools and tests as mistakes; `score_by_tests` lets the last test run of a
    session reward it when nobody did for `tests_wait_hours` after its end, but for an hour at most where nobody
    has judged a session lately.
    """

    enabled: bool = True
    context: str = Field(default="general", min_length=1, max_length=64)
    k: int = Field(default=3, ge=0, le=10)
    remember_failures: bool = True
    score_by_tests: bool = True
    tests_wait_hours: float = Field(default=24, ge=0, le=24 * 7, allow_inf_nan=False)


class DatabaseSettings(_Section):
    """A database that a team shares, instead of a file in `.vettle/`.

    `url` is postgresql://..., without a password, because this file is committed; VETTLE_DATABASE_URL goes first.
    `project` names this project among those in the database, the same in every clone; VETTLE_DATABASE_PROJECT
    goes first.
    """

    url: str = Field(default="", max_length=500)
    project: str = Field(default="", max_length=120)

    @field_validator("url")
    @classmethod
    def _without_a_password(cls, url: str) -> str:
        """Refuse what would put a password into a file that is committed."""
        if url and not url.startswith(("postgresql://", "postgres://")):
            raise ValueError("it is no URL of PostgreSQL: postgresql://user@host:5432/name")
        if urlsplit(url).password or "password=" in url:
            raise ValueError(
                "it holds a password; put the URL into VETTLE_DATABASE_URL, or the password into ~/.pgpass"
            )
        return url


class Settings(_Section):
    """Everything in `.vettle/config.toml`; every part may be left out."""

    database: DatabaseSettings = DatabaseSettings()
    score: ScoreSettings = ScoreSettings()
    selection: SelectionSettings = SelectionSettings()
    sessions: SessionSettings = SessionSettings()
    render: RenderSettings = RenderSettings()
    experiments: ExperimentSettings = ExperimentSettings()
    ranking: RankingSettings = RankingSettings()
    proposals: ProposalSettings = ProposalSettings()
    hooks: HookSettings = HookSettings()
    durability: Annotated[str, Field(pattern="^(normal|full)$")] = "normal"


def load(path: Path) -> Settings:
    """Read the settings; a missing file means the defaults, an unknown or unusable value is refused."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return Settings()
    except (OSError, ValueError) as error:
        raise ConfigurationInvalid(f"{path}: cannot be read as TOML ({error}). Mend or remove it.") from error
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise ConfigurationInvalid(
            f"{path}: {where}: {first['msg'].rstrip('.')}. {_remedy(first['loc'], first['type'])}"
        ) from error


def _remedy(location: Sequence[int | str], problem: str) -> str:
    """Say which setting was probably meant by one that there is not, or else what to do with the line."""
    section: type[BaseModel] = Settings
    for name in location[:-1]:
        inner = section.model_fields[str(name)].annotation if str(name) in section.model_fields else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return "Mend that line or remove it."
        section = inner
    if problem != "extra_forbidden":
        return "Mend that line or remove it."
    valid = list(section.model_fields)
    return f"{hint(str(location[-1]), valid)} Settings there: {', '.join(valid)}.".lstrip()
