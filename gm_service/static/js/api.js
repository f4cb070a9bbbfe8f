// Calls the service: language and CSRF token go along, envelopes are opened, a lost session leads to sign-in.

import { language, t } from "./texts.js";

const TIMEOUT_MS = 30_000;

/** What the service refused (`status` and a sentence for people), or status 0 when it can't be reached. */
export class CallFailed extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

export function get(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== undefined && value !== null);
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return call("GET", search ? `${path}?${search}` : path);
}

export function post(path, body = {}) {
  return call("POST", path, body);
}

async function call(method, path, body) {
  const headers = { Accept: "application/json", "Accept-Language": language };
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
    headers["X-CSRF-Token"] = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
  }
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  let response;
  let envelope;
  try {
    response = await fetch(path, { method, headers, signal, body: body && JSON.stringify(body), cache: "no-store" });
    envelope = await response.json();
  } catch {
    throw new CallFailed(t("network_failed"), 0);
  }
  if (response.status === 401 && path !== "/session") {
    location.assign("/sign-in");
  }
  if (envelope.code !== 0) {
    throw new CallFailed(envelope.msg || t("unexpected"), response.status);
  }
  return envelope.data;
}
