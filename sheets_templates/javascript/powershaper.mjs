// Your meters and their half-hours, by fetch(): in Node (18 or newer) and in a page of your own.
//   SHEETS_ADDRESS=https://sheets.example.org SHEETS_KEY=pss_… node powershaper.mjs
// Only on the machine that runs the service, and not in a browser, no key is needed.
// In a module of your own, parameters as an object, or as pairs where a name stands more than once:
//   await rows("usage", { period: "last-month", aggregate: "day" });
//   await rows("compare", [["meter", "gas"], ["period", "2021-01"], ["period", "2021-07"]]);
const settings = globalThis.process?.env ?? {};
const ADDRESS = settings.SHEETS_ADDRESS ?? "http://127.0.0.1:8000";
const KEY = settings.SHEETS_KEY ?? "";

/** The rows of any table as objects; `asked` is whatever URLSearchParams takes: an object, pairs, or one of its own. */
export async function rows(table, asked = {}, { address = ADDRESS, key = KEY } = {}) {
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  const answer = await fetch(`${address.replace(/\/+$/, "")}/${table}.json?${new URLSearchParams(asked)}`, { headers });
  const said = await answer.json().catch(() => null);
  if (answer.ok && said !== null) return said;
  throw new Error(said?.remedy ? `${said.detail} ${said.remedy}` : `${address} answered with status ${answer.status}.`);
}

/** Every meter: { meter, type, consent_uuid, status, earliest, latest, … }. */
export const getMeters = (service) => rows("meters", {}, service);

/** What a meter measured on local days, both included: { time, energy_kwh, carbon_kg, error_count }; missing is null. */
export const getUsageRecords = (start, end, meterId, utility = "electricity", aggregate = "none", service = {}) =>
  rows("usage", {
    meter: `${meterId}/${utility}`,
    start,
    end,
    aggregate,
    columns: "time,energy_kwh,carbon_kg,error_count",
  }, service);

if (globalThis.process?.argv?.[1]?.endsWith("powershaper.mjs")) {
  console.table(await getMeters());
  console.table(await rows("usage", { period: "last-month", aggregate: "day", columns: "time,meter,energy_kwh" }));
}
