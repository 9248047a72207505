"""Half-hourly smart-meter data from PowerShaper Monitor as plain tables at plain URLs."""
