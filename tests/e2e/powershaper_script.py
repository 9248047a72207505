"""A program written against PowerShaper's API alone: it lists the meters and sums their hourly records in UTC.

`POWERSHAPER_URL` and `POWERSHAPER_API_TOKEN` say where and who. A refused token ends it with status 3; a used-up quota
is waited for, as long as PowerShaper says, once.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

REFUSED = 3


def ask(path: str, **parameters: str) -> Any:
    """The JSON at a path."""
    question = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
    request = urllib.request.Request(
        os.environ["POWERSHAPER_URL"] + path + question,
        headers={"Authorization": f"Token {os.environ['POWERSHAPER_API_TOKEN']}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        detail = json.load(error)["detail"]
        if error.code == 403:
            sys.stderr.write(f"refused: {detail}\n")
            sys.exit(REFUSED)
        if error.code == 426:
            seconds = int(error.headers["Retry-After"])
            sys.stderr.write(f"quota: {seconds} s\n")
            time.sleep(min(seconds, float(os.environ.get("LONGEST_WAIT", "60"))))
            return ask(path, **parameters)
        raise


def main() -> None:
    """Prints a line a meter: its consent, type, number of hours, kWh and hours with errors."""
    for meter in ask("/meters/api/v1/meters/"):
        hours = ask(
            f"/meters/api/v1/meter/{meter['consent_uuid']}/{meter['type']}",
            start=os.environ["FIRST_DAY"],
            end=os.environ["LAST_DAY"],
            aggregate="hour",
            tz="UTC",
        )
        kwh = sum(float(hour["energy_kwh"] or 0) for hour in hours)
        wrong = sum(int(hour["error_count"] or 0) for hour in hours)
        sys.stdout.write(f"{meter['consent_uuid']} {meter['type']} {len(hours)} {kwh:.6f} {wrong}\n")


if __name__ == "__main__":
    main()
