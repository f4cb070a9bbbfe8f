// Lets a file be dropped on a file input's place, and saves the page from one that is dropped beside it.

/** Give `input` the file that is dropped on `zone`, as if it had been chosen. */
export function acceptDrops(zone, input) {
  const mark = (isOver) => zone.classList.toggle("over", isOver);
  zone.addEventListener("dragover", () => mark(true));
  zone.addEventListener("dragleave", () => mark(false));
  zone.addEventListener("drop", (event) => {
    mark(false);
    if (event.dataTransfer.files.length === 0) {
      return;
    }
    const chosen = new DataTransfer();
    chosen.items.add(event.dataTransfer.files[0]);
    input.files = chosen.files;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

/** A browser opens a file that is dropped on a page, and what was typed there is gone. */
export function keepPageOnDrop() {
  for (const name of ["dragover", "drop"]) {
    addEventListener(name, (event) => {
      if (event.dataTransfer?.types.includes("Files")) {
        event.preventDefault();
      }
    });
  }
}
