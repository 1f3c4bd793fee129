// Asks now and then whether something has changed, and if so puts the new
// page's content in place of the old. Without it, the page can be reloaded.
let seen;
setInterval(async () => {
  const live = document.querySelector("main[data-live]");
  if (!live || document.hidden || live.contains(document.querySelector("input:focus"))) return;
  try {
    const pulse = await (await fetch("/page/pulse")).text();
    if (seen !== undefined && pulse !== seen) {
      const page = await (await fetch(location.href)).text();
      const fresh = new DOMParser().parseFromString(page, "text/html").querySelector("main");
      const focused = document.activeElement?.id;
      live.replaceWith(fresh);
      if (focused) document.getElementById(focused)?.focus();
    }
    seen = pulse;
  } catch {
    // The runner has stopped; the page stays as it was.
  }
}, 1500);
