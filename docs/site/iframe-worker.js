// Browsers start no worker for a page that was opened from a folder, and the site's search is one. So there the same
// script runs in a hidden frame, which has a worker's importScripts and postMessage.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(address) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      this.frame = frame;
      const inside = frame.contentWindow;
      const from = new URL(address, location);
      const load = (url) =>
        new Promise((done, failed) => {
          const script = inside.document.createElement("script");
          script.src = new URL(url, from);
          script.onload = done;
          script.onerror = () => failed(new Error(`${url} can't be loaded`));
          inside.document.body.append(script);
        });
      inside.importScripts = async (...urls) => {
        for (const url of urls) await load(url);
      };
      inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      this.ready = load(from);
    }

    async postMessage(data) {
      await this.ready;
      this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data }));
    }

    terminate() {
      this.frame.remove();
    }
  };
}
