import { Agent, type RequestInit, type Response, fetch as undiciFetch } from "undici";

/** Given to every request: without it the package would take Node's own dispatcher, which is the older one. */
const dispatcher = new Agent();

/**
 * `fetch` for answers that may be long. Node's own, which is an older undici, ends the process when a server closes the
 * connection while such an answer waits to be read (nodejs/undici#5360): Druid's broker does, and whoever asks it must
 * outlive that.
 */
export function fetch(url: string | URL, init: RequestInit = {}): Promise<Response> {
  return undiciFetch(url, { ...init, dispatcher });
}
