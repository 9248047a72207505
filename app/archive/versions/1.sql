-- Times are UTC in ISO 8601. Energy is kWh, carbon kg. A day's arrays are JSON and hold 48 half-hours from 00:00 UTC.

CREATE TABLE meters (
    id INTEGER PRIMARY KEY,
    consent_uuid TEXT NOT NULL,
    type TEXT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    status TEXT,
    earliest TEXT,                      -- the first half-hour of its range as it was last listed
    latest TEXT,                        -- the last one, included
    further TEXT NOT NULL,              -- all other keys as they were last listed, JSON
    is_listed INTEGER NOT NULL,         -- 0: PowerShaper no longer lists it
    first_seen_at TEXT NOT NULL,
    held_first TEXT,                    -- the first half-hour of which a value is held
    held_last TEXT,                     -- the last one, included
    UNIQUE (consent_uuid, type)
);

CREATE TABLE days (
    meter_id INTEGER NOT NULL REFERENCES meters (id),
    day TEXT NOT NULL,                  -- a UTC day
    energy_kwh TEXT NOT NULL,           -- null: missing
    carbon_kg TEXT NOT NULL,            -- null: not known
    error_count TEXT NOT NULL,          -- 0: present, 1: reported as bad, null: not reported
    fetched_at TEXT NOT NULL,           -- when it was last confirmed
    changed_at TEXT NOT NULL,           -- when it last changed
    checks INTEGER NOT NULL,            -- looks at it since it is old
    PRIMARY KEY (meter_id, day)
) WITHOUT ROWID;

CREATE TABLE revisions (
    id INTEGER PRIMARY KEY,
    meter_id INTEGER NOT NULL REFERENCES meters (id),
    time_utc TEXT NOT NULL,
    old_energy_kwh REAL NOT NULL,
    new_energy_kwh REAL NOT NULL,
    old_carbon_kg REAL,
    new_carbon_kg REAL,
    seen_at TEXT NOT NULL
);

CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    sha256 BLOB NOT NULL UNIQUE,        -- of the key, which is not kept
    scope TEXT,                         -- JSON pairs of consent and type; null: all meters
    created_at TEXT NOT NULL,
    expires_on TEXT,                    -- the last local day on which it opens
    last_used_at TEXT,
    revoked_at TEXT
);

CREATE TABLE facts (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE VIEW half_hours AS
SELECT
    meters.name AS meter,
    meters.consent_uuid,
    meters.type,
    datetime(days.day, (half_hour.key * 30) || ' minutes') AS time_utc,
    half_hour.value AS energy_kwh,
    json_extract(days.carbon_kg, '$[' || half_hour.key || ']') AS carbon_kg,
    json_extract(days.error_count, '$[' || half_hour.key || ']') AS error_count
FROM days
JOIN meters ON meters.id = days.meter_id
JOIN json_each(days.energy_kwh) AS half_hour;
