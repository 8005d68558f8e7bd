// Copies the new key; where the browser does not let a page copy, the key is marked and people copy it themselves.
"use strict";

document.querySelectorAll("[data-copies]").forEach((button) => {
    const source = document.getElementById(button.dataset.copies);
    const said = document.querySelector(".vp-secret-said");
    button.hidden = false;
    button.addEventListener("click", async () => {
        try {
            await navigator.clipboard.writeText(source.textContent);
            said.textContent = "Copied.";
        } catch {
            getSelection().selectAllChildren(source);
            said.textContent = "This browser does not let pages copy: the key is marked, copy it yourself.";
        }
    });
});
