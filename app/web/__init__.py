"""The service over HTTP: tables at plain URLs, errors that a sheet can show, and a front page."""
