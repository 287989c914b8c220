// Loads a page anew that came without one of its files. While a rolling upgrade has processes of two
// releases, a page of one may ask a process of the other, which has no file of that name. This one has
// the same name in every release, and is no module, so that it listens before others are asked for.

{
  const AGAIN_MS = 3000;
  /** Two minutes, the longest that an upgrade of some processes takes; then it is no upgrade. */
  const TIMES_MOST = 40;
  const KEY = "lamplighter.loaded-again";
  const healthz = new URL("../healthz", /** @type {HTMLScriptElement} */ (document.currentScript).src);
  let missing = false;

  /** @param {EventTarget | null} element */
  const isPart = (element) =>
    element instanceof HTMLScriptElement
    || (element instanceof HTMLLinkElement && element.relList.contains("stylesheet"));

  const again = async () => {
    const times = Number(sessionStorage.getItem(KEY) ?? 0);
    if (times >= TIMES_MOST) return;
    // Where nobody answers, a browser would show a page of its own, which never comes back.
    const answers = await fetch(healthz, { method: "HEAD", cache: "no-store" }).then((got) => got.ok, () => false);
    if (!answers) {
      setTimeout(again, AGAIN_MS);
      return;
    }
    sessionStorage.setItem(KEY, String(times + 1));
    location.reload();
  };

  addEventListener("error", ({ target }) => {
    if (missing || !isPart(target)) return;
    missing = true;
    setTimeout(again, AGAIN_MS);
  }, true);
  addEventListener("load", () => {
    if (!missing) sessionStorage.removeItem(KEY);
  });
}
