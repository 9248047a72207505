"use strict";
// Stand-ins of the Apps Script services that Code.gs uses. They refuse what the real ones refuse (a range off the grid, values of
// another shape, an unknown option, a text that Sheets would turn into something else) and record what was done.
const { execFileSync } = require("node:child_process");
const vm = require("node:vm");

const FETCH = `
  let text = "";
  process.stdin.on("data", (part) => { text += part; }).on("end", async () => {
    const { url, options } = JSON.parse(text);
    const answer = await fetch(url, options);
    process.stdout.write(JSON.stringify({ status: answer.status, body: await answer.text() }));
  });`;
const OPTIONS = ["method", "headers", "followRedirects", "muteHttpExceptions"];
const UNTOUCHED = /^[a-z_]+$/;

const refused = [];

function need(holds, what) {
  if (holds) return;
  refused.push(what);
  throw new TypeError(`Apps Script would refuse this: ${what}`);
}

const isCount = (number) => Number.isInteger(number) && number >= 1;

/** What a cell holds after setValues, as Sheets reads what it is given. */
function held(value) {
  if (typeof value === "number") {
    need(Number.isFinite(value), `the number ${value}`);
    return value;
  }
  if (typeof value === "boolean") return value;
  need(typeof value === "string", `a cell of type ${value === null ? "null" : typeof value}`);
  if (value === "" || UNTOUCHED.test(value)) return value;
  need(value.startsWith("'"), `the text ${value}, which may turn into a date, a number or a formula`);
  return value.slice(1);
}

class Range {
  constructor(sheet, row, column, rows, columns) {
    need([row, column, rows, columns].every(isCount), `getRange(${[row, column, rows, columns]})`);
    need(row + rows - 1 <= sheet.maxRows && column + columns - 1 <= sheet.maxColumns, "a range off the sheet's grid");
    Object.assign(this, { sheet, row, column, rows, columns });
  }

  each(act) {
    for (let r = 0; r < this.rows; r += 1) {
      for (let c = 0; c < this.columns; c += 1) act(`${this.row + r},${this.column + c}`, r, c);
    }
    return this;
  }

  setValues(values) {
    need(Array.isArray(values) && values.length === this.rows, "setValues with another number of rows");
    need(values.every((row) => Array.isArray(row) && row.length === this.columns), "setValues with a row of another width");
    this.sheet.writes += 1;
    return this.each((at, r, c) => {
      const value = held(values[r][c]);
      if (value === "") this.sheet.cells.delete(at);
      else this.sheet.cells.set(at, value);
    });
  }

  setNumberFormat(format) {
    need(typeof format === "string" && format, "setNumberFormat without a text");
    return this.each((at) => this.sheet.formats.set(at, format));
  }

  setNote(note) {
    need(typeof note === "string", "setNote without a text");
    return this.each((at) => this.sheet.notes.set(at, note));
  }

  clearContent() {
    return this.each((at) => this.sheet.cells.delete(at));
  }
}

class ChartBuilder {
  constructor() { this.chart = { options: {} }; }
  setChartType(type) { need(type === "LINE", `the chart type ${type}`); this.chart.type = type; return this; }
  addRange(range) { need(range instanceof Range, "addRange without a range"); this.chart.range = [range.row, range.column, range.rows, range.columns]; return this; }
  setNumHeaders(count) { need(Number.isInteger(count), "setNumHeaders"); this.chart.headers = count; return this; }
  setPosition(...at) { need(at.length === 4 && at.every(Number.isInteger) && isCount(at[0]) && isCount(at[1]), "setPosition"); return this; }
  setOption(name, value) { need(typeof name === "string", "setOption"); this.chart.options[name] = value; return this; }
  build() { need(this.chart.range, "a chart without a range"); return this.chart; }
}

class Sheet {
  constructor(name, { maxRows = 1000, maxColumns = 26, cells = {} } = {}) {
    Object.assign(this, { name, maxRows, maxColumns, writes: 0, frozen: 0, charts: [] });
    this.cells = new Map(Object.entries(cells));
    this.formats = new Map();
    this.notes = new Map();
  }

  getRange(row, column, rows = 1, columns = 1) { return new Range(this, row, column, rows, columns); }
  getMaxRows() { return this.maxRows; }
  getLastRow() { return Math.max(0, ...[...this.cells.keys()].map((at) => Number(at.split(",")[0]))); }
  insertRowsAfter(row, count) { need(isCount(row) && row <= this.maxRows && isCount(count), "insertRowsAfter"); this.maxRows += count; return this; }
  setFrozenRows(count) { need(Number.isInteger(count) && count < this.maxRows, "setFrozenRows"); this.frozen = count; }
  getCharts() { return this.charts; }
  newChart() { return new ChartBuilder(); }
  insertChart(chart) { need(chart && chart.type, "insertChart before build()"); this.charts.push(chart); }

  shown() {
    return {
      cells: Object.fromEntries(this.cells), formats: Object.fromEntries(this.formats), notes: Object.fromEntries(this.notes),
      writes: this.writes, frozen: this.frozen, charts: this.charts, maxRows: this.maxRows,
    };
  }
}

/** The world of one script: `played` says what is there, `done` what was done. */
function world(played) {
  const done = { menu: [], alerts: [], toasts: [], fetches: [], dialogs: [], inserted: [], deleted: 0 };
  const properties = { ...played.properties };
  const sheets = new Map(Object.entries(played.sheets || {}).map(([name, given]) => [name, new Sheet(name, given)]));
  const triggers = (played.triggers || []).map((handler) => ({ getHandlerFunction: () => handler }));
  const book = {
    getSheetByName: (name) => sheets.get(name) || null,
    insertSheet(name) {
      need(typeof name === "string" && !sheets.has(name), `insertSheet(${name})`);
      sheets.set(name, new Sheet(name));
      return sheets.get(name);
    },
    getSpreadsheetTimeZone: () => "America/New_York",
    toast(text, title, seconds) {
      need(typeof text === "string" && typeof title === "string" && Number.isInteger(seconds), "toast");
      done.toasts.push(text);
    },
  };
  const ui = {
    ButtonSet: { OK: "OK" },
    alert(title, text, buttons) {
      need(typeof title === "string" && typeof text === "string" && buttons === "OK", "alert");
      done.alerts.push(text);
    },
    createMenu(title) {
      const menu = {
        addItem(caption, name) { need(caption && /^[A-Za-z]+$/.test(name), `addItem(${name})`); done.menu.push([caption, name]); return menu; },
        addSeparator: () => menu,
        addToUi() { done.menuTitle = title; },
      };
      return menu;
    },
    showModalDialog(page, title) { need(page.html && page.width && page.height && title, "showModalDialog"); done.dialogs.push(page.html); },
  };
  const services = {
    SpreadsheetApp: {
      getActiveSpreadsheet: () => book,
      getUi() {
        need(!played.nobodyLooksOn, "getUi() from a trigger");
        return ui;
      },
    },
    Charts: { ChartType: { LINE: "LINE" } },
    PropertiesService: {
      getUserProperties: () => ({
        getProperties: () => ({ ...properties }),
        setProperties(given) {
          need(Object.values(given).every((value) => typeof value === "string"), "setProperties with other than texts");
          Object.assign(properties, given);
        },
      }),
    },
    UrlFetchApp: {
      fetch(url, options) {
        need(/^https?:\/\/[^\s"<>|]+$/.test(url), `fetch(${url})`);
        Object.keys(options).forEach((name) => need(OPTIONS.includes(name), `the option ${name}`));
        need(options.method === "get" && options.muteHttpExceptions === true, "fetch without what the answer needs");
        done.fetches.push({ url, options });
        const there = url.replace(played.publicly, played.address);
        const request = { url: there, options: { headers: options.headers, redirect: options.followRedirects ? "follow" : "manual" } };
        const { status, body } = JSON.parse(execFileSync(process.execPath, ["-e", FETCH], {
          input: JSON.stringify(request), maxBuffer: 5e7, stdio: ["pipe", "pipe", "ignore"],
        }));
        return {
          getResponseCode: () => status,
          getContentText(charset) { need(charset === undefined || charset === "UTF-8", "the charset"); return body; },
        };
      },
    },
    ScriptApp: {
      getProjectTriggers: () => [...triggers],
      newTrigger(handler) {
        return { timeBased: () => ({ everyHours: (hours) => ({ create() { need(isCount(hours), "everyHours"); triggers.push({ getHandlerFunction: () => handler, hours }); } }) }) };
      },
      deleteTrigger(trigger) { need(triggers.includes(trigger), "deleteTrigger of none"); triggers.splice(triggers.indexOf(trigger), 1); done.deleted += 1; },
    },
    HtmlService: {
      createHtmlOutput(html) {
        need(typeof html === "string", "createHtmlOutput without a text");
        const page = { html };
        page.setWidth = (width) => { need(isCount(width), "setWidth"); page.width = width; return page; };
        page.setHeight = (height) => { need(isCount(height), "setHeight"); page.height = height; return page; };
        return page;
      },
    },
    Utilities: {
      formatDate(date, zone, format) {
        need(typeof date.getTime === "function" && zone === book.getSpreadsheetTimeZone() && format === "yyyy-MM-dd HH:mm", "formatDate");
        return date.toISOString().slice(0, 16).replace("T", " ");
      },
    },
  };
  return { context: vm.createContext(services), finish: () => ({
    ...done, properties, triggers: triggers.map((one) => [one.getHandlerFunction(), one.hours]),
    sheets: Object.fromEntries([...sheets].map(([name, sheet]) => [name, sheet.shown()])),
  }) };
}

// In: {code, publicly, address, properties, sheets, triggers, nobodyLooksOn, calls: [[function, argument, …], …]} as JSON.
// Out: what was done, and what each call returned or threw.
let text = "";
process.stdin.on("data", (part) => { text += part; }).on("end", () => {
  const played = JSON.parse(text);
  const { context, finish } = world(played);
  vm.runInContext(played.code, context, { filename: "Code.gs" });
  const results = played.calls.map(([name, ...given]) => {
    try {
      const values = given.map((one) => (one && one.date ? `new Date(${JSON.stringify(one.date)})` : JSON.stringify(one)));
      return { returned: vm.runInContext(`${name}(${values.join(", ")})`, context) ?? null };
    } catch (failed) {
      if (failed.name === "TypeError" || failed.name === "ReferenceError") throw failed;
      return { threw: failed.message };
    }
  });
  if (refused.length) throw new Error(`Apps Script would refuse this: ${refused}`);
  process.stdout.write(JSON.stringify({ ...finish(), results }));
});
