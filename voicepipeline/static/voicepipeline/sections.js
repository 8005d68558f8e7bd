/* A page of sections asks every few seconds which of them have changed, in one request, while somebody can see it. */
(() => {
  const live = document.querySelector("[data-live]");
  if (!live) {
    return;
  }
  const PAUSE_MS = 3000;
  const LONGEST_PAUSE_MS = 30000;
  // After so many answers without news it is asked less often, but a new note still shows within ten seconds.
  const IDLE_AFTER = 20;
  const IDLE_PAUSE_MS = 6000;
  // A slow server gets this many times as long a rest as it took to answer.
  const REST = 4;
  // No answer by then is none: a connection may have died while the laptop slept.
  const PATIENCE_MS = 15000;
  const WORDS = {
    live: "Live: what changes is shown by itself.",
    paused: "Paused while nobody looks.",
    reconnecting: "No answer; what you see may be old. Trying again.",
  };
  let asking = false;
  let began = 0;
  let timer = 0;
  let unchanged = 0;
  let failures = 0;

  function isSeen() {
    return document.visibilityState === "visible";
  }

  function say(state) {
    if (live.dataset.state !== state) {
      live.dataset.state = state;
      live.querySelector("[data-live-words]").textContent = WORDS[state];
    }
  }

  /* --- Asking ------------------------------------------------------------------------------------------------- */
  function whatIsThere() {
    return [...document.querySelectorAll("[data-section]")]
      .map((section) => (held?.id === section.id ? held : section).dataset)
      .map((data) => `${data.section}=${data.digest}`)
      .join(",");
  }

  function ask() {
    clearTimeout(timer);
    if (asking || !isSeen()) {
      return;
    }
    asking = true;
    began = performance.now();
    htmx.ajax("GET", live.dataset.live, { source: live, swap: "none", headers: { "X-Seen": whatIsThere() } });
  }

  function pause(took) {
    if (failures) {
      return PAUSE_MS * 2 ** failures;
    }
    return Math.max(unchanged >= IDLE_AFTER ? IDLE_PAUSE_MS : PAUSE_MS, REST * took);
  }

  function answered(event) {
    const { successful, xhr } = event.detail;
    asking = false;
    failures = successful ? 0 : failures + 1;
    unchanged = successful && xhr.status === 204 ? unchanged + 1 : 0;
    if (held && !isBeingRead(document.getElementById(held.id))) {
      show();
    }
    if (isSeen()) {
      say(successful ? "live" : "reconnecting");
      timer = setTimeout(ask, Math.min(LONGEST_PAUSE_MS, pause(performance.now() - began)));
    }
  }

  function lookedAtOrNot() {
    if (isSeen()) {
      ask();
    } else {
      clearTimeout(timer);
      say("paused");
    }
  }

  /* Signed out meanwhile: the sign-in page is what came back. */
  function verifyAnswer(event) {
    const from = event.detail.xhr.responseURL;
    const asked = new URL(event.detail.pathInfo.finalRequestPath, location.href).pathname;
    if (from && new URL(from).pathname !== asked) {
      event.detail.shouldSwap = false;
      live.dispatchEvent(new Event("signed-out"));
      location.reload();
    }
  }

  live.addEventListener("htmx:configRequest", (event) => (event.detail.timeout = PATIENCE_MS));
  live.addEventListener("htmx:afterRequest", answered);
  document.addEventListener("htmx:beforeSwap", verifyAnswer);
  document.addEventListener("visibilitychange", lookedAtOrNot);
  window.addEventListener("online", ask);

  /* --- New rows do not move what is being read ----------------------------------------------------------------- */
  let held = null;

  function isSelectedIn(section) {
    const selection = getSelection();
    return !selection.isCollapsed && selection.containsNode(section, true);
  }

  /* Who has scrolled to it reads it, and on a phone nothing else tells so. */
  function isScrolledTo(section) {
    const { top, bottom } = section.getBoundingClientRect();
    return scrollY > 0 && top < innerHeight / 2 && bottom > 0;
  }

  function isBeingRead(section) {
    return isScrolledTo(section) || section.matches(":hover, :focus-within") || isSelectedIn(section);
  }

  function rows(section) {
    return [...section.querySelectorAll("[data-happening]")];
  }

  function newIn(arrived, shown) {
    const known = new Set(rows(shown).map((row) => row.dataset.happening));
    return rows(arrived).filter((row) => !known.has(row.dataset.happening));
  }

  function offer(section, count) {
    let chip = section.querySelector("[data-chip]");
    if (!chip) {
      const place = document.createElement("div");
      place.className = "ov-chip-place";
      chip = document.createElement("button");
      chip.type = "button";
      chip.className = "vp-button ov-chip";
      chip.dataset.chip = "";
      chip.addEventListener("click", showAndGoThere);
      place.append(chip);
      section.querySelector(".vp-panel-head").after(place);
    }
    chip.textContent = `${count} new`;
  }

  function show() {
    const section = document.getElementById(held.id);
    const fresh = held;
    held = null;
    markNew(fresh, section);
    keepOpen(fresh, section);
    section.replaceWith(fresh);
    return fresh;
  }

  /* The chip is gone once it is pressed: the keyboard goes on at the newest row. */
  function showAndGoThere() {
    const section = show();
    section.querySelector("[data-happening] a").focus({ preventScroll: true });
    section.scrollIntoView({ block: section.getBoundingClientRect().top < 0 ? "start" : "nearest" });
  }

  function markNew(arrived, shown) {
    newIn(arrived, shown).forEach((row) => row.classList.add("ov-new"));
  }

  /* --- Where the keyboard is ----------------------------------------------------------------------------------- */
  let left = null;

  function stops(section) {
    return [...section.querySelectorAll("a[href], button, summary")];
  }

  /* Who has unfolded something goes on reading it. */
  function keepOpen(arrived, shown) {
    const unfolded = [...shown.querySelectorAll("details")].map((details) => details.open);
    arrived.querySelectorAll("details").forEach((details, place) => (details.open = unfolded[place] || false));
  }

  /* The same link of the section that takes its place; htmx itself finds only what has an id. */
  function rememberFocus(section) {
    const all = stops(section);
    const index = all.indexOf(document.activeElement);
    if (index >= 0) {
      const href = all[index].getAttribute("href");
      const twins = all.slice(0, index).filter((stop) => stop.getAttribute("href") === href).length;
      left = { section: section.id, index, href, twins };
    }
  }

  function restoreFocus() {
    if (left) {
      const all = stops(document.getElementById(left.section));
      const twins = all.filter((stop) => stop.getAttribute("href") === left.href);
      (twins[left.twins] || all[Math.min(left.index, all.length - 1)])?.focus({ preventScroll: true });
      left = null;
    }
  }

  function beforeSectionSwap(event) {
    const { target, fragment } = event.detail;
    const arrived = fragment.firstElementChild || fragment;
    const count = newIn(arrived, target).length;
    if (count > 0 && isBeingRead(target)) {
      event.detail.shouldSwap = false;
      held = arrived.cloneNode(true);
      offer(target, count);
    } else if (isSelectedIn(target)) {
      event.detail.shouldSwap = false; // it comes again with the next answer, and the next
    } else {
      held = held?.id === target.id ? null : held;
      markNew(arrived, target);
      keepOpen(arrived, target);
      rememberFocus(target);
    }
  }

  document.addEventListener("htmx:oobBeforeSwap", beforeSectionSwap);
  document.addEventListener("htmx:oobAfterSwap", restoreFocus);

  /* --- Panels, each of which asks for itself, and less often ---------------------------------------------------- */
  function panelOf(event) {
    return event.target.matches(".ov-panel") ? event.target : null;
  }

  function beforePanelSwap(event) {
    const panel = panelOf(event);
    if (panel && isSelectedIn(panel)) {
      event.detail.shouldSwap = false; // it comes again in a minute
    } else if (panel && event.detail.shouldSwap) {
      rememberFocus(panel);
    }
  }

  /* What was there is kept; a panel that was not there yet has these words alone. */
  function afterPanelAnswer(event) {
    const panel = panelOf(event);
    if (!panel) {
      return;
    }
    panel.querySelector("[data-failed]")?.remove();
    if (event.detail.successful) {
      restoreFocus();
    } else {
      const words = document.createElement("p");
      words.className = "vp-panel ov-failed";
      words.dataset.failed = "";
      words.textContent = "This part could not be loaded; it is tried again.";
      panel.querySelector(".ov-skeleton")?.remove();
      panel.append(words);
    }
  }

  document.addEventListener("htmx:beforeSwap", beforePanelSwap);
  document.addEventListener("htmx:afterRequest", afterPanelAnswer);

  /* --- ... and so it begins ------------------------------------------------------------------------------------- */
  if (isSeen()) {
    say("live");
    timer = setTimeout(ask, PAUSE_MS);
  } else {
    say("paused");
  }
})();
