"""Settings: a row each of name, type, default and help, checked once at the start."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from platformdirs import user_data_path
from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.domain.errors import SettingWrong

PREFIX = "POWERSHAPER_"
TOKEN = re.compile(r"[0-9A-Za-z]{20,128}")
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Settings(BaseModel):
    """All settings. The names in the environment are these in capitals, after `POWERSHAPER_`."""

    token: Annotated[SecretStr | None, Field(description="the API token of your PowerShaper account")] = None
    token_file: Annotated[
        Path | None, Field(description="a file that holds the token, instead of `POWERSHAPER_TOKEN`")
    ] = None
    base_url: Annotated[str, Field(description="PowerShaper's address")] = "https://app.powershaper.io"
    archive_url: Annotated[
        str, Field(description="where the archive is; without it a file in your user data folder")
    ] = ""
    public_url: Annotated[str, Field(description="the address, or several with commas between, that others use")] = ""
    tz: Annotated[str, Field(description="the time zone of links that name none")] = "Europe/London"
    wait_seconds: Annotated[
        float,
        Field(gt=0, le=90, description="how long a request waits for PowerShaper; Excel gives up at 100"),
    ] = 60
    patience_seconds: Annotated[
        float, Field(ge=0, le=90, description="how long a request waits for what is newer than what it can show")
    ] = 5
    calls_per_minute: Annotated[float, Field(gt=0, le=100_000, description="calls to PowerShaper a minute")] = 10
    calls_burst: Annotated[int, Field(ge=1, le=100_000, description="calls to PowerShaper at once")] = 5
    calls_side_by_side: Annotated[
        int, Field(ge=1, le=100, description="calls to PowerShaper under way at one time, of one process")
    ] = 4
    pause_seconds: Annotated[
        float, Field(gt=0, le=900, description="how long PowerShaper is left alone when its quota is used up")
    ] = 60
    pause_jitter_seconds: Annotated[
        float, Field(ge=0, le=900, description="up to how much longer, by chance, so that not all come back at once")
    ] = 15
    longest_pause_seconds: Annotated[
        float, Field(gt=0, le=86_400, description="the longest such pause; each is twice the last one")
    ] = 900
    clean_seconds: Annotated[
        float, Field(gt=0, le=86_400, description="how long without a pause gives one call a minute back")
    ] = 900
    unreadable_seconds: Annotated[
        float,
        Field(ge=0, le=86_400, description="how long what was answered unreadably isn't asked again; then twice that"),
    ] = 300
    retries: Annotated[int, Field(ge=0, le=5, description="how often a call that failed is tried again")] = 2
    retry_seconds: Annotated[
        float, Field(ge=0, le=60, description="the longest wait before the first retry; twice that before the next")
    ] = 2
    breaker_failures: Annotated[
        int, Field(ge=1, le=100, description="failures in a row after which PowerShaper is left alone")
    ] = 5
    breaker_seconds: Annotated[
        float, Field(gt=0, le=600, description="how long then, the first time; each time as much longer")
    ] = 30
    longest_breaker_seconds: Annotated[
        float, Field(gt=0, le=86_400, description="the longest that it is left alone after failures")
    ] = 600
    refused_seconds: Annotated[
        float, Field(gt=0, le=86_400, description="how long no call is made for a token or meter that was refused")
    ] = 3600
    connect_seconds: Annotated[
        float, Field(gt=0, le=600, description="how long a connection to PowerShaper may take")
    ] = 5
    read_seconds: Annotated[float, Field(gt=0, le=600, description="how long PowerShaper may be silent")] = 30
    call_seconds: Annotated[
        float, Field(gt=0, le=600, description="how long one call to PowerShaper may take in all")
    ] = 90
    body_mb: Annotated[int, Field(ge=1, le=1024, description="how large an answer of PowerShaper may be")] = 64
    call_days: Annotated[
        int, Field(ge=1, le=3660, description="how many days one call to PowerShaper asks for at most")
    ] = 366
    halved_days: Annotated[
        int, Field(ge=2, le=3660, description="from how many days on a call that failed is halved")
    ] = 16
    young_days: Annotated[
        int, Field(ge=0, le=30, description="up to how many days old a day is looked at every `YOUNG_MINUTES`")
    ] = 2
    young_minutes: Annotated[
        float, Field(gt=0, le=100_000, description="after how long such a day is looked at again")
    ] = 60
    week_days: Annotated[
        int, Field(ge=0, le=30, description="up to how many days old a day is looked at every `WEEK_HOURS`")
    ] = 7
    week_hours: Annotated[
        float, Field(gt=0, le=10_000, description="after how long such a day is looked at again if it is complete")
    ] = 24
    week_gap_hours: Annotated[float, Field(gt=0, le=10_000, description="after how long if half-hours are missing")] = 6
    month_hours: Annotated[
        float, Field(gt=0, le=10_000, description="after how long a day up to 30 days old is looked at again")
    ] = 168
    old_looks: Annotated[
        int, Field(ge=0, le=12, description="how often an older day with gaps is looked at: after 1, 2, 4, 8 … days")
    ] = 6
    empty_hours: Annotated[
        float, Field(gt=0, le=10_000, description="after how long a day of which nothing came is asked for again")
    ] = 6
    recheck_jitter_percent: Annotated[
        float, Field(ge=0, le=90, description="by how much these waits differ from meter to meter, either way")
    ] = 10
    meters_hours: Annotated[
        float, Field(gt=0, le=10_000, description="after how long the list of meters is looked at again")
    ] = 6
    unknown_meter_seconds: Annotated[
        float, Field(ge=0, le=86_400, description="how often at most it is looked at for a meter that is not on it")
    ] = 60
    refresh_minutes: Annotated[
        float, Field(ge=0, le=10_000, description="how often what is due is looked at unasked; 0 is never")
    ] = 15
    refresh_asked_days: Annotated[
        int, Field(ge=1, le=3660, description="for how many days after it was asked for a meter is so kept up to date")
    ] = 7
    memory_mb: Annotated[
        int, Field(ge=1, le=65536, description="how much memory keeps half-hours beside the archive")
    ] = 64
    answers_mb: Annotated[
        int, Field(ge=1, le=65536, description="how much memory keeps answers that were made before")
    ] = 64
    api_minutes: Annotated[
        float, Field(gt=0, le=1440, description="how long answers in PowerShaper's own API are kept")
    ] = 10
    api_stale_hours: Annotated[
        float, Field(gt=0, le=720, description="how old such an answer may be when PowerShaper fails")
    ] = 24
    api_mb: Annotated[int, Field(ge=1, le=65536, description="how much memory keeps such answers")] = 16
    api_questions: Annotated[
        int, Field(ge=1, le=20, description="how many different ones a key may cause in an hour")
    ] = 20
    trusted_proxies: Annotated[
        str, Field(description="addresses or networks, with commas between, of proxies that are believed about clients")
    ] = ""

    @field_validator("token")
    @classmethod
    def _token(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and not TOKEN.fullmatch(token.get_secret_value()):
            raise ValueError("is not a token: 20 to 128 letters and digits. Copy it again from PowerShaper")
        return token

    @field_validator("base_url")
    @classmethod
    def _base_url(cls, url: str) -> str:
        parts = _address(url)
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ValueError("must begin with https://, so that the token is not sent in the open")
        return url

    @field_validator("public_url")
    @classmethod
    def _public_url(cls, urls: str) -> str:
        for url in filter(None, urls.split(",")):
            _address(url.strip())
        return urls

    @field_validator("archive_url")
    @classmethod
    def _archive_url(cls, url: str) -> str:
        if url and not re.fullmatch(r"sqlite:///[^?#]+", url):
            raise ValueError("must look like sqlite:////home/me/archive.db (an absolute path has four slashes)")
        return url

    @field_validator("tz")
    @classmethod
    def _tz(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("is no time zone that is known. Use an IANA name such as Europe/London")
        return name

    @field_validator("trusted_proxies")
    @classmethod
    def _trusted_proxies(cls, text: str) -> str:
        try:
            _networks(text)
        except ValueError:
            raise ValueError("must be addresses or networks such as 10.0.0.0/24, with commas between") from None
        return text

    @property
    def trusted_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks of the proxies that are believed."""
        return _networks(self.trusted_proxies)

    @property
    def archive(self) -> str:
        """The archive's URL, the default's filled in."""
        folder = user_data_path("powershaper-sheets", appauthor=False)
        return self.archive_url or f"sqlite:///{(folder / 'archive.db').as_posix()}"

    @property
    def public_urls(self) -> list[str]:
        """The addresses that others use, without a final slash."""
        return [url.strip().rstrip("/") for url in self.public_url.split(",") if url.strip()]

    def required_token(self) -> SecretStr:
        """The token, from its setting or its file. SettingWrong if there is none."""
        if self.token is not None:
            return self.token
        if self.token_file is None:
            raise SettingWrong(
                "No token is set.",
                remedy="Set POWERSHAPER_TOKEN, in the environment or in a file .env, to the token that PowerShaper "
                "shows in your account. To look around without one: powershaper-sheets demo",
            )
        try:
            text = self.token_file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingWrong(
                "The file of POWERSHAPER_TOKEN_FILE can't be read.", remedy="Check its path and permissions."
            ) from error
        if not TOKEN.fullmatch(text):
            raise SettingWrong(
                "The file of POWERSHAPER_TOKEN_FILE holds no token.",
                remedy="It must hold 20 to 128 letters and digits and nothing else.",
            )
        return SecretStr(text)


class _Environment(BaseSettings, Settings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )


def settings_from_environment() -> Settings:
    """The settings of the environment and of `.env`. SettingWrong with one line that says what to do."""
    try:
        found = _Environment()
    except (UnicodeDecodeError, OSError):
        raise SettingWrong(
            "The file .env can't be read.", remedy="Save it as plain text in UTF-8, and let this user read it."
        ) from None
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False, include_context=False)[0]
        name = PREFIX + "_".join(str(part) for part in wrong["loc"]).upper()
        text = wrong["msg"].removeprefix("Value error, ")
        raise SettingWrong(
            f"The setting {name} can't be used: {text}.",
            remedy=f"Correct {name} in the environment or in .env.",
        ) from None
    return Settings.model_validate(found.model_dump())


def setting_rows() -> list[tuple[str, str, str]]:
    """Name in the environment, default and help of every setting."""
    return [
        (PREFIX + name.upper(), _default(field.default), field.description or "")
        for name, field in Settings.model_fields.items()
    ]


def _default(value: Any) -> str:
    return "" if value is None else str(value)


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def _address(url: str) -> Any:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("must be an address like https://example.org")
    return parts
