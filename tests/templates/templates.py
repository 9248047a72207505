"""The templates' folder, their addresses as a service of the tests answers them, and a service that wants keys."""

from datetime import date
from pathlib import Path

from service import Running

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "sheets_templates"
AT_HOME, ELSEWHERE = "http://127.0.0.1:8000", "https://sheets.example.org"
GOOGLE = "Mozilla/5.0 (compatible; GoogleDocs; apps-spreadsheets; +http://docs.google.com)"
"""What Google Sheets calls itself when it fetches for IMPORTDATA."""
TODAY = date(2022, 12, 6)
"""The day in whose evening a household looks: the data of home A ends at its noon."""
GUARDED = {"public_url": ELSEWHERE}
"""Settings under which everybody needs a key."""


def here(text: str, service: Running, key: str = "") -> str:
    """A template's text with the placeholders of address and key replaced by what is true in a test."""
    return text.replace(AT_HOME, service.address).replace(ELSEWHERE, service.address).replace("YOUR-KEY", key)
