//! Headless Chromium, driven through its DevTools protocol.
//!
//! The protocol runs over a pipe (`--remote-debugging-pipe`: JSON messages that end in a zero
//! byte), so it needs no port, no web socket and no dependency.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(120);
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Finds the browser's program, if it is installed. `TELLAPART_REQUIRE_BROWSER` makes its absence
/// an error, so that continuous integration cannot skip tests.
pub(crate) fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .flat_map(|folder| NAMES.map(|name| folder.join(name)))
        .find(|program| program.is_file());
    assert!(
        found.is_some() || std::env::var_os("TELLAPART_REQUIRE_BROWSER").is_none(),
        "TELLAPART_REQUIRE_BROWSER is set, but none of {NAMES:?} is in PATH"
    );
    found
}

/// Page in a separate browser without a network.
pub(crate) struct Tab {
    browser: Child,
    to_browser: Option<ChildStdin>,
    from_browser: Receiver<Value>,
    session: Option<String>,
    last_id: u64,
    /// Exceptions, log entries such as refused requests, and dialogs of the page.
    pub(crate) complaints: Vec<String>,
    /// Addresses that the page requested.
    pub(crate) requests: Vec<String>,
    _profile: tempfile::TempDir,
}

impl Tab {
    pub(crate) fn open(program: &Path) -> Self {
        let profile = tempfile::tempdir().unwrap();
        // The browser reads messages from descriptor 3 and writes them to 4.
        let mut browser = Command::new("sh")
            .args([
                "-c",
                "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1",
            ])
            .arg(program)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--disable-dev-shm-usage",
                "--host-resolver-rules=MAP * ~NOTFOUND",
                "--remote-debugging-pipe",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let to_browser = browser.stdin.take();
        let mut messages = BufReader::new(browser.stdout.take().unwrap());
        let (sender, from_browser) = channel();
        thread::spawn(move || {
            let mut message = Vec::new();
            while messages
                .read_until(0, &mut message)
                .is_ok_and(|read| read > 0)
            {
                message.pop();
                let parsed = serde_json::from_slice(&message);
                if parsed.is_ok_and(|value: Value| sender.send(value).is_err()) {
                    break;
                }
                message.clear();
            }
        });
        let mut tab = Self {
            browser,
            to_browser,
            from_browser,
            session: None,
            last_id: 0,
            complaints: Vec::new(),
            requests: Vec::new(),
            _profile: profile,
        };
        let target = tab.call("Target.createTarget", json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = tab.call("Target.attachToTarget", attach);
        tab.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Network", "Log"] {
            tab.call(&format!("{domain}.enable"), json!({}));
        }
        let offline = json!({"offline": true, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1});
        tab.call("Network.emulateNetworkConditions", offline);
        tab
    }

    /// Sends a command, waits for its answer, and notes events that arrive before it.
    pub(crate) fn call(&mut self, method: &str, params: Value) -> Value {
        self.last_id += 1;
        let mut message = json!({"id": self.last_id, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = serde_json::to_vec(&message).unwrap();
        bytes.push(0);
        self.to_browser.as_mut().unwrap().write_all(&bytes).unwrap();
        loop {
            let mut message = self.from_browser.recv_timeout(PATIENCE).unwrap();
            if message["id"] == self.last_id {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].take();
            }
            self.note(&message);
        }
    }

    fn note(&mut self, event: &Value) {
        match event["method"].as_str() {
            Some("Runtime.exceptionThrown" | "Log.entryAdded" | "Page.javascriptDialogOpening") => {
                self.complaints.push(event["params"].to_string());
            }
            Some("Network.requestWillBeSent") => {
                let address = event["params"]["request"]["url"].as_str();
                self.requests.push(address.unwrap_or_default().to_owned());
            }
            _ => {}
        }
    }

    /// Evaluates an expression.
    pub(crate) fn eval(&mut self, expression: &str) -> Value {
        let params = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let mut answer = self.call("Runtime.evaluate", params);
        assert!(
            answer["exceptionDetails"].is_null(),
            "{expression}: {answer}"
        );
        answer["result"]["value"].take()
    }

    /// Waits until the expression is true.
    pub(crate) fn wait_for(&mut self, expression: &str) {
        let start = Instant::now();
        while self.eval(expression) != json!(true) {
            assert!(start.elapsed() < PATIENCE, "never true: {expression}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Opens a file from disk; `fragment` is the part of the address behind `#`.
    pub(crate) fn go_to(&mut self, file: &Path, fragment: &str) {
        // If only the fragment changed, the browser would not load the page again.
        self.call("Page.navigate", json!({"url": "about:blank"}));
        self.wait_for("location.href === 'about:blank'");
        let address = format!("file://{}#{fragment}", file.display());
        self.call("Page.navigate", json!({"url": address}));
        self.wait_for("location.protocol === 'file:' && document.readyState === 'complete'");
    }

    /// Presses and releases a key, which also moves the focus and changes forms.
    pub(crate) fn press(&mut self, key: &str) {
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            "End" => 35,
            "Home" => 36,
            "ArrowLeft" => 37,
            "ArrowUp" => 38,
            "ArrowRight" => 39,
            "ArrowDown" => 40,
            _ => panic!("no code for {key}"),
        };
        for kind in ["rawKeyDown", "char", "keyUp"] {
            if kind == "char" && key != "Enter" {
                continue;
            }
            let mut event =
                json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code});
            if kind == "char" {
                event["text"] = json!("\r");
            }
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Clicks at `place`, an expression for `[x, y]` in the window.
    pub(crate) fn click(&mut self, place: &str) {
        let place = self.eval(place);
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// Sets the size of the window, in CSS pixels.
    pub(crate) fn resize(&mut self, width: u32, height: u32, phone: bool) {
        let scale = if phone { 2 } else { 1 };
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": scale, "mobile": phone});
        self.call("Emulation.setDeviceMetricsOverride", size);
    }

    /// Emulates the medium `screen` or `print` and the scheme `light` or `dark`.
    pub(crate) fn show_as(&mut self, media: &str, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call(
            "Emulation.setEmulatedMedia",
            json!({"media": media, "features": features}),
        );
    }

    /// Writes a screenshot of the whole page.
    pub(crate) fn screenshot(&mut self, to: &Path) {
        let shot = self.call(
            "Page.captureScreenshot",
            json!({"captureBeyondViewport": true}),
        );
        let png = base64::engine::general_purpose::STANDARD.decode(shot["data"].as_str().unwrap());
        std::fs::write(to, png.unwrap()).unwrap();
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        // The browser and all its processes end when its input ends.
        drop(self.to_browser.take());
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(10) {
            if !matches!(self.browser.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        let _ = self.browser.kill();
        let _ = self.browser.wait();
    }
}
