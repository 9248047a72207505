/**
 * The half-hours of your smart meters in this sheet. Extensions > Apps Script, paste this file in place of what is there,
 * save, and reload the sheet: a menu "PowerShaper" appears. Address and key of your service are kept in your own user
 * properties, which nobody else who opens the sheet can read.
 * @OnlyCurrentDoc
 */

var TITLE = 'PowerShaper', PROFILES = 'Two profiles', USAGE = 'Usage';
var COLUMNS = ['time', 'energy_kwh', 'carbon_kg', 'error_count', 'meter', 'time_utc', 'coverage_pct'];
var MONTHS = 'January February March April May June July August September October November December'.split(' ');
var TIMES = ['time', 'time_utc', 'earliest', 'latest', 'start', 'end', 'start_utc', 'end_utc'];
var DEFAULTS = {address: '', key: '', meter: '', periods: '', period: 'last-31-days', aggregate: 'day'};
var DAY_MS = 24 * 60 * 60 * 1000;
/** Sheets counts days from here: https://developers.google.com/workspace/sheets/api/guides/formats */
var DAY_NOUGHT = Date.UTC(1899, 11, 30);

function onOpen() {
  SpreadsheetApp.getUi().createMenu(TITLE)
    .addItem('Load two profiles', 'loadTwoProfiles')
    .addItem('Load usage', 'loadUsage')
    .addSeparator()
    .addItem('Refresh hourly', 'refreshHourly')
    .addItem('Stop refreshing', 'stopRefreshing')
    .addSeparator()
    .addItem('Settings…', 'showSettings')
    .addToUi();
}

/** The mean day of a month in winter beside one in summer, and a chart of both. */
function loadTwoProfiles() {
  inWords_(function () { said_(profiles_()); });
}

/** A table of what the meters measured. */
function loadUsage() {
  inWords_(function () { said_(usage_()); });
}

/** Loads again whatever was loaded; the hourly trigger calls it. What failed is thrown at the end: Google mails it. */
function refresh() {
  var book = SpreadsheetApp.getActiveSpreadsheet(), failures = [];
  [[PROFILES, profiles_], [USAGE, usage_]].forEach(function (one) {
    var sheet = book.getSheetByName(one[0]);
    try {
      if (sheet) one[1]();
    } catch (failed) {
      failures.push(one[0] + ' was not refreshed: ' + failed.message);
      sheet.getRange(1, 1).setNote('Not refreshed, ' + now_() + ': ' + failed.message);
    }
  });
  if (failures.length) throw new Error(failures.join('\n'));
}

function refreshHourly() {
  inWords_(function () {
    settings_();
    if (triggers_().length) return said_('This spreadsheet is refreshed every hour already.');
    ScriptApp.newTrigger('refresh').timeBased().everyHours(1).create();
    said_('From now on this spreadsheet is refreshed every hour, also while it is closed.');
  });
}

function stopRefreshing() {
  inWords_(function () {
    triggers_().forEach(function (trigger) { ScriptApp.deleteTrigger(trigger); });
    said_('This spreadsheet is refreshed no more.');
  });
}

function showSettings() {
  var page = HtmlService.createHtmlOutput(dialog_(stored_())).setWidth(440).setHeight(520);
  SpreadsheetApp.getUi().showModalDialog(page, TITLE);
}

/** Called by the dialog. Keeps the settings, tries them, and returns a sentence; throws one if they don't work. */
function saveSettings(given) {
  var old = stored_();
  var kept = {};
  Object.keys(DEFAULTS).forEach(function (name) { kept[name] = String(given[name] || '').trim().replace(/\/+$/, ''); });
  if (!/^https:\/\/[^\s\/?#]+$/.test(kept.address)) {
    throw new Error('The address begins with https:// and has no path, such as https://sheets.example.org. '
      + 'Google can\'t reach an address at home.');
  }
  if (!kept.key && kept.address !== old.address) throw new Error('Another address: enter its access key too.');
  if (!kept.key) kept.key = old.key;
  if (!kept.key) throw new Error('Enter an access key; "powershaper-sheets keys create --name sheets" makes one.');
  if (kept.periods && list_(kept.periods).length !== 2) {
    throw new Error('Enter two periods with a comma between, such as 2021-01, 2021-07, or none.');
  }
  PropertiesService.getUserProperties().setProperties(kept);
  var names = rowsOf_('meters', []).map(function (row) { return row.meter; });
  return 'Saved. Meters that can be read: ' + names.join(', ') + '.';
}

function profiles_() {
  var settings = settings_();
  var meter = list_(settings.meter)[0] || firstMeter_();
  var periods = settings.periods ? list_(settings.periods) : lastJanuaryAndJuly_(new Date());
  var rows = rowsOf_('compare', [['meter', meter], ['period', periods[0]], ['period', periods[1]]]);
  var names = ['time'].concat(periods);
  chart_(write_(PROFILES, names, rows, names.map(titled_)), meter, rows.length);
  return 'The mean day of ' + titled_(periods[0]) + ' beside that of ' + titled_(periods[1]) + ': ' + meter + '.';
}

function usage_() {
  var settings = settings_();
  var asked = [['period', settings.period], ['aggregate', settings.aggregate]];
  list_(settings.meter).forEach(function (meter) { asked.push(['meter', meter]); });
  var rows = rowsOf_('usage', asked);
  var names = rows.length ? Object.keys(rows[0]) : COLUMNS;
  write_(USAGE, names, rows, names);
  return rows.length + ' rows of usage.' + (rows.length ? '' : ' There is no data in that period.');
}

/** The short name of the first electricity meter, or of the first meter. */
function firstMeter_() {
  var meters = rowsOf_('meters', []);
  if (!meters.length) throw new Error('The access key reads no meter.');
  var electric = meters.filter(function (row) { return row.type === 'electricity'; });
  return (electric[0] || meters[0]).meter;
}

/** The newest two of January and July that are over, the earlier month of the year first. */
function lastJanuaryAndJuly_(now) {
  var year = now.getFullYear();
  return [year - (now.getMonth() > 0 ? 0 : 1) + '-01', year - (now.getMonth() > 6 ? 0 : 1) + '-07'];
}

function list_(text) {
  return text.split(',').map(function (one) { return one.trim(); }).filter(String);
}

/** 2021-01 as January 2021; any other text as it is. */
function titled_(name) {
  var month = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(name);
  return month ? MONTHS[month[2] - 1] + ' ' + month[1] : name;
}

/** The rows of a table as objects. Throws a sentence that says what happened and what to do. */
function rowsOf_(table, asked) {
  var settings = settings_();
  var query = asked.map(function (pair) { return pair[0] + '=' + encodeURIComponent(pair[1]); }).join('&');
  var answer;
  try {
    answer = UrlFetchApp.fetch(settings.address + '/' + table + '.json' + (query ? '?' + query : ''), {
      method: 'get',
      headers: {Authorization: 'Bearer ' + settings.key},
      followRedirects: false, // the key goes to this address and to no other
      muteHttpExceptions: true,
    });
  } catch (failed) {
    throw new Error(settings.address + ' can\'t be reached. Are the service and its tunnel running?');
  }
  var said = parsed_(answer.getContentText('UTF-8'));
  if (answer.getResponseCode() === 200 && Array.isArray(said)) return said;
  if (said && said.detail && said.remedy) throw new Error(said.detail + ' ' + said.remedy);
  throw new Error(settings.address + ' answered with status ' + answer.getResponseCode()
    + ', which is not how powershaper-sheets answers. Is the address right, and the service running?');
}

function parsed_(text) {
  try { return JSON.parse(text); } catch (unreadable) { return null; }
}

/** Puts a table into the sheet of that name, all cells at once; columns to the right of it are left alone. */
function write_(name, columns, rows, titles) {
  var book = SpreadsheetApp.getActiveSpreadsheet();
  var sheet = book.getSheetByName(name) || book.insertSheet(name);
  var values = [titles.map(text_)].concat(rows.map(function (row) {
    return columns.map(function (column) { return cell_(column, row[column]); });
  }));
  var held = sheet.getLastRow();
  if (sheet.getMaxRows() < values.length) sheet.insertRowsAfter(sheet.getMaxRows(), values.length - sheet.getMaxRows());
  sheet.getRange(1, 1, values.length, columns.length).setValues(values);
  if (held > values.length) {
    sheet.getRange(values.length + 1, 1, held - values.length, columns.length).clearContent();
  }
  columns.forEach(function (column, i) {
    if (rows.length) sheet.getRange(2, i + 1, rows.length, 1).setNumberFormat(format_(column, rows));
  });
  sheet.setFrozenRows(1);
  sheet.getRange(1, 1).setNote('Loaded ' + now_() + '.');
  return sheet;
}

/**
 * What a value is in a cell. Times are Sheets' own day numbers, so that every reader sees the clock on the wall at the
 * meter, whatever the spreadsheet's time zone: a Date would be moved by the difference. Missing is an empty cell.
 */
function cell_(column, value) {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'string') return value;
  var time = TIMES.indexOf(column) < 0 ? null : dayNumber_(value);
  return time === null ? text_(value) : time;
}

/** 2021-06-01, 2021-06-01T00:30:00+01:00 or 00:30 as days; null for anything else. */
function dayNumber_(text) {
  var clock = /^(\d\d):(\d\d)$/.exec(text);
  if (clock) return (clock[1] * 60 + Number(clock[2])) / 1440;
  var t = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:Z|[+-]\d\d:\d\d)?)?$/.exec(text);
  if (!t) return null;
  return (Date.UTC(t[1], t[2] - 1, t[3], t[4] || 0, t[5] || 0, t[6] || 0) - DAY_NOUGHT) / DAY_MS;
}

/** Text that stays text: the apostrophe isn't shown. Without it 2021-06 becomes a date, and =1+1 a formula. */
function text_(text) {
  return /^[a-z_]+$/.test(text) && text !== 'true' && text !== 'false' ? text : '\'' + text;
}

function format_(column, rows) {
  if (TIMES.indexOf(column) >= 0) {
    var filled = rows.filter(function (row) { return typeof row[column] === 'string'; })[0];
    var length = filled ? filled[column].length : 0;
    if (length) return length === 5 ? 'hh:mm' : length === 10 ? 'yyyy-mm-dd' : 'yyyy-mm-dd hh:mm';
  }
  return {error_count: '0', coverage_pct: '0.0', meter: '@'}[column] || '0.000';
}

function chart_(sheet, meter, rows) {
  if (sheet.getCharts().length) return;
  sheet.insertChart(sheet.newChart()
    .setChartType(Charts.ChartType.LINE)
    .addRange(sheet.getRange(1, 1, rows + 1, 3))
    .setNumHeaders(1)
    .setPosition(2, 5, 0, 0)
    .setOption('title', 'A mean day: ' + meter)
    .setOption('vAxis.title', 'kWh a half-hour')
    .build());
}

/** What is stored, with defaults for what isn't. */
function stored_() {
  var stored = PropertiesService.getUserProperties().getProperties();
  return Object.keys(DEFAULTS).reduce(function (settings, name) {
    settings[name] = stored[name] || DEFAULTS[name];
    return settings;
  }, {});
}

function settings_() {
  var settings = stored_();
  if (settings.address && settings.key) return settings;
  throw new Error('Choose ' + TITLE + ' > Settings… first.');
}

function triggers_() {
  return ScriptApp.getProjectTriggers().filter(function (one) { return one.getHandlerFunction() === 'refresh'; });
}

function now_() {
  return Utilities.formatDate(
    new Date(), SpreadsheetApp.getActiveSpreadsheet().getSpreadsheetTimeZone(), 'yyyy-MM-dd HH:mm');
}

function said_(sentence) {
  SpreadsheetApp.getActiveSpreadsheet().toast(sentence, TITLE, 8);
}

/** Does something for somebody who looks on: what goes wrong is shown. */
function inWords_(act) {
  try {
    act();
  } catch (failed) {
    var ui = SpreadsheetApp.getUi();
    ui.alert(TITLE, failed.message, ui.ButtonSet.OK);
  }
}

/** The dialog's page. The key is never put into it. */
function dialog_(settings) {
  return '<style>body{font:14px/1.4 sans-serif}label{display:block;margin:0 0 9px}input,select{width:100%;font:inherit;'
    + 'box-sizing:border-box;padding:3px}small{color:#555}#said{min-height:3em}</style><form id="settings">'
    + field_('address', 'Address of your service', settings.address, 'https://sheets.example.org')
    + '<label>Access key<input name="key" type="password" autocomplete="off" placeholder="'
    + (settings.key ? 'kept: leave empty' : 'pss_…') + '"></label>'
    + field_('meter', 'Meter <small>(empty: all; in profiles the first electric one)</small>', settings.meter, '')
    + field_('periods', 'Two periods <small>(empty: the last January and July)</small>', settings.periods, '2021-01, 2021-07')
    + field_('period', 'Period of the usage', settings.period, 'last-31-days')
    + '<label>A row of the usage is a<select name="aggregate">' + ['none', 'hour', 'day', 'week', 'month', 'year']
      .map(function (one) {
        return '<option value="' + one + '"' + (one === settings.aggregate ? ' selected' : '') + '>'
          + (one === 'none' ? 'half-hour' : one) + '</option>';
      }).join('') + '</select></label><p id="said" role="status"></p><button>Save</button></form><script>'
    + 'document.getElementById("settings").addEventListener("submit", function (event) {'
    + 'event.preventDefault(); var said = document.getElementById("said"); said.textContent = "Trying it …";'
    + 'var given = {}; new FormData(this).forEach(function (value, name) { given[name] = value; });'
    + 'google.script.run.withSuccessHandler(function (text) { said.textContent = text; })'
    + '.withFailureHandler(function (error) { said.textContent = error.message; }).saveSettings(given); });</script>';
}

function field_(name, label, value, hint) {
  return '<label>' + label + '<input name="' + name + '" value="' + escaped_(value) + '" placeholder="' + hint
    + '"></label>';
}

function escaped_(text) {
  return text.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
