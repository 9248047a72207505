"""The tree of errors. Each says what happened and what to do about it.

SheetsError
  SettingWrong              a setting can't be used; the start stops
  RequestError              the link asks for something that can't be
    BadParameter            a parameter is wrong
    TooLarge                the table doesn't fit the format
    NotFound                no such table, format or meter
    TooLong                 the address is too long
    HeadersTooLarge         the headers are too large
    WrongMethod             the address is only read
    WrongHost               the request names a host that isn't this service
    KeyRefused              no access key, or one that doesn't open
    TooManyWrongKeys        too many wrong keys from one address
  UpstreamError             PowerShaper can't answer, and the archive can't either
    UpstreamUnavailable     it is down or can't be reached
      UpstreamFailing       it began and failed: a shorter span may do
      UpstreamSlow          it took too long: a shorter span may do
      QuotaExceeded         it asked us to wait
    UpstreamRefused         it refused the token
    UpstreamUnreadable      it answered what can't be read
      UpstreamTooLarge      it answered more than we take: a shorter span may do
  ArchiveError              the archive can't be read or written
    ArchiveDamaged          what its file holds isn't what was written
"""


class SheetsError(Exception):
    """What happened (`str(error)`) and what to do (`error.remedy`), both fit for a reader's eyes."""

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


class SettingWrong(SheetsError):
    """A setting can't be used."""


class RequestError(SheetsError):
    """The link asks for something that can't be."""


class BadParameter(RequestError):
    """A parameter of the link is wrong; the message names it."""


class TooLarge(RequestError):
    """The table doesn't fit the format asked for."""


class NotFound(RequestError):
    """There is no such table, format or meter."""


class TooLong(RequestError):
    """The address is too long."""


class HeadersTooLarge(RequestError):
    """The headers are too large."""


class WrongMethod(RequestError):
    """The address is only read."""


class WrongHost(RequestError):
    """The request names a host that isn't this service."""


class KeyRefused(RequestError):
    """There is no access key, or one that doesn't open."""


class TooManyWrongKeys(RequestError):
    """Too many wrong keys came from one address."""


class UpstreamError(SheetsError):
    """PowerShaper can't answer."""


class UpstreamUnavailable(UpstreamError):
    """PowerShaper is down, slow or over quota. `retry_after` is in whole seconds."""

    def __init__(self, message: str, *, remedy: str, retry_after: int = 60) -> None:
        super().__init__(message, remedy=remedy)
        self.retry_after = retry_after


class UpstreamFailing(UpstreamUnavailable):
    """PowerShaper began to answer and failed."""


class UpstreamSlow(UpstreamUnavailable):
    """PowerShaper took too long."""


class QuotaExceeded(UpstreamUnavailable):
    """PowerShaper asked us to wait."""


class UpstreamRefused(UpstreamError):
    """PowerShaper refused the token."""


class UpstreamUnreadable(UpstreamError):
    """PowerShaper answered what can't be read."""


class UpstreamTooLarge(UpstreamUnreadable):
    """PowerShaper answered more than is taken in one call."""


class ArchiveError(SheetsError):
    """The archive can't be read or written."""


class ArchiveDamaged(ArchiveError):
    """The archive's file holds what was never written."""
