-- When a table last asked for it, in UTC; null: never. What nobody asks for need not be kept fresh.
ALTER TABLE meters ADD COLUMN last_asked_at TEXT;
