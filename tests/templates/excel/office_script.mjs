// Runs an Office Script on a workbook that remembers, and prints what stands in it then.
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";

const [script, address, key, asked, before] = process.argv.slice(2);
const book = { sheets: {}, tables: {}, deleted: [], asked: [] };
const range = (sheet, row, column, rows, columns) => ({
  where: [row, column, rows, columns],
  setValues(values) {
    if (values.length !== rows || values.some((line) => line.length !== columns)) throw new Error("another shape");
    sheet.values = values;
  },
  setNumberFormat(format) {
    sheet.formats[column] = format;
  },
});
const worksheet = (name) => {
  const sheet = { values: [], formats: {} };
  book.sheets[name] = sheet;
  return {
    getRangeByIndexes: (...where) => range(sheet, ...where),
    addTable: (area, hasHeader) => ({ setName: (name) => (book.tables[name] = { where: area.where, hasHeader }) }),
  };
};
const known = before ? { usage: worksheet("usage") } : {};
const workbook = {
  getWorksheet: (name) => known[name],
  addWorksheet: worksheet,
  getTable: (name) => (before ? { delete: () => book.deleted.push(name) } : undefined),
};
const text = readFileSync(script, "utf8")
  .replace("https://sheets.example.org", address)
  .replace("YOUR-KEY", key)
  .replace("period=last-month&aggregate=day", asked);
const watched = (url, options = {}) => {
  book.asked.push({ url, ...options });
  return fetch(url, options);
};
const main = new Function("fetch", `${stripTypeScriptTypes(text)}\nreturn main;`)(watched);
try {
  await main(workbook);
} catch (error) {
  book.error = error.message;
}
console.log(JSON.stringify(book));
