// Pages that are fetched when they are gone to, so that the task centre needn't wait for what they need.

import { html, useEffect, useState } from "./preact.js";
import { t } from "./texts.js";

/** Return a component that shows what `load()`, a promise of a component, brings; `soon()` fetches it beforehand. */
export function later(load) {
  let known = null;
  const fetched = () => load().then((Page) => (known = Page));
  Later.soon = () => fetched().catch(() => {}); // it is fetched when it is gone to
  return Later;

  function Later(props) {
    const [page, setPage] = useState({ Page: known, failure: null });
    useEffect(() => {
      if (!page.Page) {
        fetched().then(
          (Page) => setPage({ Page, failure: null }),
          (failure) => setPage({ Page: null, failure }),
        );
      }
    }, []);
    if (page.failure) {
      return html`<p class="notice bad" role="alert">${t("network_failed")}</p>`;
    }
    return page.Page ? html`<${page.Page} ...${props} />` : html`<p class="notice">${t("loading")}</p>`;
  }
}
