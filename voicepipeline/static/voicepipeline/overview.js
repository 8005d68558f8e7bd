/* Asks every few seconds what has changed, while somebody can see it, and tells moments in the reader's own zone. */
(() => {
  const live = document.querySelector("[data-live]");
  const PAUSE = 3000;
  const LONGEST_PAUSE = 30000;
  // After so many answers without news it is asked less often, but a new note still shows within ten seconds.
  const IDLE_AFTER = 20;
  const IDLE_PAUSE = 6000;
  const WORDS = {
    live: "Live: what changes is shown by itself.",
    paused: "Paused while nobody looks.",
    reconnecting: "The server does not answer; trying again.",
  };
  let unchanged = 0;
  let failures = 0;
  let timer = 0;
  let began = 0;

  /* --- Moments ------------------------------------------------------------------------------------------------ */
  const UNITS = [[86400, "day", "days"], [3600, "h", "h"], [60, "min", "min"], [1, "s", "s"]];

  function lengthInWords(seconds) {
    const [size, one, many] = UNITS.find(([least]) => seconds >= least) || UNITS[3];
    const whole = Math.max(0, Math.floor(seconds / size));
    return `${whole} ${whole === 1 ? one : many}`;
  }

  function tellMoments(root) {
    for (const element of root.querySelectorAll("time[data-ago]")) {
      const words = lengthInWords((Date.now() - Date.parse(element.dateTime)) / 1000);
      if (element.textContent !== words) {
        element.textContent = words;
      }
    }
    for (const element of root.querySelectorAll("time[data-clock]:not([data-told])")) {
      const moment = new Date(element.dateTime);
      const today = moment.toDateString() === new Date().toDateString();
      const day = today ? {} : { day: "numeric", month: "short" };
      element.textContent = moment.toLocaleString([], { ...day, hour: "2-digit", minute: "2-digit" });
      element.dataset.told = "";
    }
  }

  tellMoments(document);
  setInterval(() => document.visibilityState === "visible" && tellMoments(document), 1000);
  if (!live) {
    return;
  }

  /* --- What has changed --------------------------------------------------------------------------------------- */
  function say(state) {
    if (live.dataset.state !== state) {
      live.dataset.state = state;
      live.querySelector("[data-live-words]").textContent = WORDS[state];
    }
  }

  function seen() {
    return [...document.querySelectorAll("[data-section]")]
      .map((section) => `${section.dataset.section}=${section.dataset.digest}`)
      .join(",");
  }

  function askLater(pause) {
    clearTimeout(timer);
    timer = setTimeout(ask, pause);
  }

  function ask() {
    if (document.visibilityState !== "visible") {
      say("paused");
      return;
    }
    began = performance.now();
    htmx.ajax("GET", live.dataset.live, { source: live, swap: "none", headers: { "X-Seen": seen() } });
  }

  function pauseAfter(took) {
    const usual = unchanged >= IDLE_AFTER ? IDLE_PAUSE : PAUSE;
    return Math.min(LONGEST_PAUSE, Math.max(usual, 4 * took));
  }

  live.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) {
      failures = 0;
      unchanged = event.detail.xhr.status === 204 ? unchanged + 1 : 0;
      say("live");
      askLater(pauseAfter(performance.now() - began));
    } else {
      failures += 1;
      say("reconnecting");
      askLater(Math.min(LONGEST_PAUSE, PAUSE * 2 ** failures));
    }
  });

  document.addEventListener("visibilitychange", () => (document.visibilityState === "visible" ? ask() : say("paused")));

  /* Signed out meanwhile: the sign-in page is what came back. */
  document.addEventListener("htmx:beforeSwap", (event) => {
    const answered = event.detail.xhr.responseURL;
    if (answered && new URL(answered).pathname !== new URL(live.dataset.live, location.href).pathname) {
      event.detail.shouldSwap = false;
      location.reload();
    }
  });

  /* --- New rows do not move what is being read ----------------------------------------------------------------- */
  let held = null;

  function isBeingRead(section) {
    return section.matches(":hover") || section.contains(document.activeElement) || section.getBoundingClientRect().top < 0;
  }

  function happenings(root) {
    return [...root.querySelectorAll("[data-happening]")].map((row) => row.dataset.happening);
  }

  function newIn(fragment) {
    const known = new Set(happenings(document));
    return happenings(fragment).filter((key) => !known.has(key));
  }

  function offer(section, count) {
    let chip = section.querySelector("[data-chip]");
    if (!chip) {
      chip = document.createElement("button");
      chip.type = "button";
      chip.className = "vp-button ov-chip";
      chip.dataset.chip = "";
      chip.addEventListener("click", show);
      section.querySelector(".vp-panel-head").append(chip);
    }
    chip.textContent = `${count} new`;
  }

  function show() {
    const section = document.getElementById("overview-activity");
    if (held) {
      markNew(held);
      section.replaceWith(held);
      held = null;
      tellMoments(document.getElementById("overview-activity"));
    }
  }

  function markNew(fragment) {
    for (const key of newIn(fragment)) {
      fragment.querySelector(`[data-happening="${CSS.escape(key)}"]`).classList.add("ov-new");
    }
  }

  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = event.detail;
    if (target.id !== "overview-activity") {
      return;
    }
    const arrived = fragment.firstElementChild || fragment;
    const count = newIn(arrived).length;
    if (count > 0 && isBeingRead(target)) {
      event.detail.shouldSwap = false;
      held = arrived.cloneNode(true);
      offer(target, count);
    } else {
      held = null;
      markNew(arrived);
    }
  });
  document.addEventListener("htmx:oobAfterSwap", () => tellMoments(document));

  /* --- Keys ---------------------------------------------------------------------------------------------------- */
  const find = document.querySelector("[data-find]");
  const keys = document.querySelector("[data-keys]");
  const help = document.querySelector("[data-help]");
  help.hidden = false;
  help.addEventListener("click", () => keys.showModal());

  function isTyping(element) {
    return element.matches("input, textarea, select, [contenteditable]") || keys.open;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) {
      return;
    }
    if (event.key === "/") {
      event.preventDefault();
      find.focus();
    } else if (event.key === "?") {
      event.preventDefault();
      keys.showModal();
    }
  });

  say("live");
  askLater(PAUSE);
})();
