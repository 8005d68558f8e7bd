/* Tells moments in the reader's own zone, and how long ago they were as time passes; the exact one in UTC is on hover. */
(() => {
  const MINUTE = 60;
  const HOUR = 3600;
  const DAY = 86400;
  /* A clock that is wrong by less is not worth correcting: as much may lie between the server's answer and here. */
  const CLOCK_MAY_BE_WRONG_MS = 60000;
  /* That of the page, whatever the browser speaks; the zone is the reader's. */
  const LANGUAGE = document.documentElement.lang;
  const stated = document.querySelector("[data-now]");
  const difference = stated ? Date.parse(stated.dataset.now) - Date.now() : 0;
  const correction = Math.abs(difference) > CLOCK_MAY_BE_WRONG_MS ? difference : 0;

  function now() {
    return Date.now() + correction;
  }

  /* As the server says it: 12 s, 3 min, 2 h 5 min, 4 days. */
  function lengthInWords(length) {
    const seconds = Math.max(0, Math.floor(length));
    const days = Math.floor(seconds / DAY);
    if (days) {
      return `${days} day${days === 1 ? "" : "s"}`;
    }
    const hours = Math.floor(seconds / HOUR);
    const minutes = Math.floor((seconds % HOUR) / MINUTE);
    if (hours) {
      return minutes ? `${hours} h ${minutes} min` : `${hours} h`;
    }
    return minutes ? `${minutes} min` : `${seconds} s`;
  }

  function clock(moment) {
    const today = moment.toDateString() === new Date(now()).toDateString();
    const day = today ? {} : { day: "numeric", month: "short" };
    return moment.toLocaleString(LANGUAGE, { ...day, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  }

  function write(element, words) {
    if (element.textContent !== words) {
      element.textContent = words;
    }
  }

  /* Rows by day: the server's days are those of UTC. */
  function tellDays(list) {
    list.dataset.days = "told";
    list.querySelectorAll(".ov-day").forEach((heading) => heading.remove());
    let before = "";
    for (const row of [...list.children]) {
      const moment = new Date(row.querySelector("time").dateTime);
      const day = moment.toLocaleDateString(LANGUAGE, { weekday: "long", day: "numeric", month: "long" });
      if (day !== before) {
        const heading = document.createElement("li");
        heading.className = "ov-day";
        heading.textContent = day;
        row.before(heading);
        before = day;
      }
    }
  }

  function tell() {
    for (const element of document.querySelectorAll("time[data-ago]")) {
      write(element, lengthInWords((now() - Date.parse(element.dateTime)) / 1000));
    }
    for (const element of document.querySelectorAll("time[data-clock]")) {
      write(element, clock(new Date(element.dateTime)));
    }
    document.querySelectorAll("[data-happenings]:not([data-days])").forEach(tellDays);
  }

  const tellIfSeen = () => document.visibilityState === "visible" && tell();
  tell();
  setInterval(tellIfSeen, 1000);
  document.addEventListener("visibilitychange", tellIfSeen);
  /* What has just come is told before it is painted. */
  new MutationObserver(tellIfSeen).observe(document.body, { childList: true, subtree: true });
})();
