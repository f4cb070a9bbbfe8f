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
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== undefined && value !== null);
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return call("GET", search ? `${path}?${search}` : path);
}

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

async function call(method, path, body) {
  let { status, envelope } = await send(method, path, body);
  if (envelope.code === CSRF_REFUSED && (await renewToken())) {
    ({ status, envelope } = await send(method, path, body));
  }
  if (status === 401 && path !== "/session") {
    throw Object.assign(new CallFailed(t("session_ended"), status, envelope.code), { isSignedOut: true });
  }
  if (envelope.code !== 0) {
    throw new CallFailed(envelope.msg || t("unexpected"), status, envelope.code);
  }
  return envelope.data;
}

async function send(method, path, body) {
  const headers = { Accept: "application/json", "Accept-Language": language };
  headers["X-CSRF-Token"] = meta("csrf-token")?.content ?? "";
  const isForm = body instanceof FormData;
  if (body && !isForm) {
    // The browser itself names the type of a form, and the line between its parts.
    headers["Content-Type"] = "application/json";
  }
  const signal = AbortSignal.timeout((isForm ? FORM_TIMEOUT_MS : TIMEOUT_MS) + sizeOf(body) / SLOWEST_BYTES_PER_MS);
  try {
    const response = await fetch(path, { method, headers, signal, body, cache: "no-store" });
    return { status: response.status, envelope: await response.json() };
  } catch {
    throw new CallFailed(t("network_failed"), 0);
  }
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
