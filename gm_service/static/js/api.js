// Calls the service: language and CSRF token go along, envelopes are opened, a lost session is told, never jumped from.

import { language, t } from "./texts.js";

const TIMEOUT_MS = 30_000;
// Reading a file and running its rows takes the service longer; it gives up by itself before this.
const FORM_TIMEOUT_MS = 90_000;
// A slow line, so that a large file isn't given up while it is still on its way.
const SLOWEST_BYTES_PER_MS = 32;
const CSRF_REFUSED = 40301;
const meta = (name) => document.querySelector(`meta[name="${name}"]`);

/** The most that the service takes of one upload. */
export const maxUploadBytes = Number(meta("max-upload-bytes")?.content ?? 0);

/** What the service refused (`status`, its `code`, and a sentence for people), or status 0 when it can't be reached. */
export class CallFailed extends Error {
  constructor(message, status, code = 0) {
    super(message);
    this.status = status;
    this.code = code;
    this.isSignedOut = false;
  }
}

export function get(path, query = {}) {
  return call("GET", addressOf(path, query));
}

function addressOf(path, query) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== undefined && value !== null);
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return search ? `${path}?${search}` : path;
}

/**
 * Ask for what may not have changed: `known` is the mark of the answer before. Returns `{ data, mark }`, where `data`
 * is null if it is still the same.
 */
export async function getChanged(path, query, known) {
  const { status, envelope, mark } = await send("GET", addressOf(path, query), undefined, known);
  return status === 304 ? { data: null, mark: known } : { data: opened(path, status, envelope), mark };
}

/** Return the service's time in milliseconds; this machine's clock may be wrong. */
export const serviceNow = () => Date.now() + clockSkew;
let clockSkew = 0;

export function post(path, body = {}) {
  return call("POST", path, new Blob([JSON.stringify(body)]));
}

/** Post a body that is JSON text already (a Blob). */
export function postJson(path, body) {
  return call("POST", path, body);
}

/** Post fields as multipart/form-data; a Blob or File among them is sent as a file. */
export function postForm(path, fields) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    form.append(name, value);
  }
  return call("POST", path, form);
}

/** Ask the API of workflow jobs, whose envelopes say `stat`; return the whole envelope. */
export async function askJobs(verb, parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value !== "" && value !== undefined && value !== null);
  const body = new Blob([JSON.stringify(Object.fromEntries(given))]);
  const answer = await sendWithToken("POST", `/xingqiao/${verb}`, body);
  if (answer.envelope.stat === undefined) {
    return opened(verb, answer.status, answer.envelope);
  }
  if (answer.envelope.stat !== "OK") {
    const { stat, msg } = answer.envelope;
    throw Object.assign(new CallFailed(msg ? `${msg} (${stat})` : stat, answer.status), { stat });
  }
  return answer.envelope;
}

async function call(method, path, body) {
  const { status, envelope } = await sendWithToken(method, path, body);
  return opened(path, status, envelope);
}

async function sendWithToken(method, path, body) {
  const answer = await send(method, path, body);
  return answer.envelope.code === CSRF_REFUSED && (await renewToken()) ? send(method, path, body) : answer;
}

function opened(path, status, envelope) {
  if (status === 401 && path !== "/session") {
    throw Object.assign(new CallFailed(t("session_ended"), status, envelope.code), { isSignedOut: true });
  }
  if (envelope.code !== 0) {
    throw new CallFailed(envelope.msg || t("unexpected"), status, envelope.code);
  }
  return envelope.data;
}

async function send(method, path, body, known) {
  const headers = { Accept: "application/json", "Accept-Language": language };
  headers["X-CSRF-Token"] = meta("csrf-token")?.content ?? "";
  const station = meta("station-id")?.content;
  if (station) {
    // Whoever signs in to another station in another tab must not act for it, or see it, under this one's name.
    headers["X-Station-Id"] = station;
  }
  const isForm = body instanceof FormData;
  if (body && !isForm) {
    // The browser itself names the type of a form, and the line between its parts.
    headers["Content-Type"] = "application/json";
  }
  if (known) {
    headers["If-None-Match"] = known;
  }
  const signal = AbortSignal.timeout((isForm ? FORM_TIMEOUT_MS : TIMEOUT_MS) + sizeOf(body) / SLOWEST_BYTES_PER_MS);
  try {
    const response = await fetch(path, { method, headers, signal, body, cache: "no-store" });
    noteTime(response.headers.get("Date"));
    const mark = response.headers.get("ETag");
    return { status: response.status, mark, envelope: response.status === 304 ? null : await response.json() };
  } catch {
    throw new CallFailed(t("network_failed"), 0);
  }
}

// The header counts whole seconds: smaller differences are none.
function noteTime(date) {
  const skew = date ? Date.parse(date) + 500 - Date.now() : 0;
  clockSkew = Math.abs(skew) > 2000 ? skew : 0;
}

function sizeOf(body) {
  const parts = body instanceof FormData ? [...body.values()] : [body];
  return parts.reduce((bytes, part) => bytes + (part?.size ?? 0), 0);
}

/** Take the token of a session that was opened in another tab meanwhile, for the same station only. */
async function renewToken() {
  const { envelope } = await send("GET", "/session");
  if (envelope.code !== 0 || envelope.data.station_id !== meta("station-id")?.content) {
    return false;
  }
  meta("csrf-token").content = envelope.data.csrf_token;
  return true;
}
