// The reader's dictionary and formats; texts/en.json and texts/zh.json hold every sentence of the pages.

export const language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
const answer = await fetch(`/static/texts/${language}.json`);
const texts = await answer.json();

/** Return the zone of the station's clock. */
export const timeZone = () => document.querySelector('meta[name="time-zone"]')?.content;

/** Return the text of `key`, its {names} filled from `facts`. */
export function t(key, facts = {}) {
  return texts[key].replace(/\{(\w+)\}/g, (_, name) => show(facts[name] ?? "?"));
}

function show(fact) {
  return typeof fact === "number" ? formatNumber(fact) : String(fact);
}

/** Return what a clerk calls a column of an import: `lines[2].sku` is the SKU of line 3; a strange one keeps its name. */
export function columnTitle(column) {
  const [, place, field] = /^lines\[(\d+)\]\.(.+)$/s.exec(column) ?? [null, null, column];
  const title = texts[`field_${field}`] ?? field;
  return place === null ? title : t("field_of_line", { title, line: Number(place) + 1 });
}

/** Return a moment (ISO 8601 with its offset) as the station's clock shows it. */
export function formatTime(moment) {
  return formatIn(timeZone(), new Date(moment));
}

/** Return a moment (ISO 8601) as the time of day, with its milliseconds, by the station's clock. */
export function formatInstant(moment) {
  const style = { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23" };
  return new Intl.DateTimeFormat(language, { ...style, timeZone: timeZone() }).format(new Date(moment));
}

/** Return what the station's clock showed (`YYYY-MM-DD HH:MM:SS`), whichever zone this machine is in. */
export function formatClock(shown) {
  return formatIn("UTC", new Date(`${shown.replace(" ", "T")}Z`));
}

function formatIn(zone, date) {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium", timeZone: zone }).format(date);
}

/** Return a number as people write it. */
export const formatNumber = (number) => new Intl.NumberFormat(language).format(number);

/** Return a number of bytes in words. */
export function formatSize(bytes) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  const step = Math.min(Math.floor(Math.log(Math.max(bytes, 1)) / Math.log(1000)), units.length - 1);
  const style = { style: "unit", unit: units[step], maximumFractionDigits: 1 };
  return new Intl.NumberFormat(language, style).format(bytes / 1000 ** step);
}

/** Return an amount of money, a decimal as text, as people write it. */
export function formatAmount(amount) {
  return new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(amount);
}

/** Return a length of time, in milliseconds, in its largest two units. */
export function formatDuration(milliseconds) {
  const seconds = Math.max(Math.round(milliseconds / 1000), 0);
  if (seconds === 0) {
    return t("short_time");
  }
  const units = [
    ["day", Math.floor(seconds / 86_400)],
    ["hour", Math.floor(seconds / 3600) % 24],
    ["minute", Math.floor(seconds / 60) % 60],
    ["second", seconds % 60],
  ];
  const first = units.findIndex(([, count]) => count > 0);
  const shown = units.slice(first, first + 2).filter(([, count], place) => count > 0 || place === 0);
  return shown
    .map(([unit, count]) => new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short" }).format(count))
    .join(" ");
}

/** Return the text of a key that may not be there, undefined where it is not. */
export function textOf(key) {
  return texts[key];
}
