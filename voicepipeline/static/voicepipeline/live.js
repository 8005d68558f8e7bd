/* Parts that refresh themselves: say when they cannot, and start again at the sign-in page when that is what came back. */
document.addEventListener("htmx:beforeSwap", (event) => {
  const asked = new URL(event.detail.pathInfo.finalRequestPath, location.href).pathname;
  if (event.detail.xhr.responseURL && new URL(event.detail.xhr.responseURL).pathname !== asked) {
    event.detail.shouldSwap = false;
    location.reload();
  }
});

function showNotice(hidden) {
  const notice = document.getElementById("live-notice");
  if (notice) {
    notice.hidden = hidden;
  }
}

document.addEventListener("htmx:afterRequest", (event) => showNotice(event.detail.successful));
document.addEventListener("htmx:sendError", () => showNotice(false));
