// Adds one device in Home Assistant's own frontend, as a user does, and takes pictures on
// the way. Started by tests/e2e/browser.py, which answers for the device.
//
//   node look.mjs '{"url", "username", "password", "device", "domain", "shots", "chromium", "modules", "key", "option", "pin", "steps", "looks"}'
//
// `steps` is null for a device that is discovered. One that is not is added with them: each
// is {"choose": text} for a menu or {"fill": [text, ...]} for the fields of a form that one
// types in; no steps at all add nothing. `looks` are the names of further devices whose
// pages are looked at.
//
// `key` tells whether the device shows a verification key, `option` is what to choose in the
// menu of its options, null when they are one form, `pin` what to type whenever a form asks
// for a PIN, null when none does.
//
// Prints one JSON object a line: {"event": "shot", "file"}, {"event": "key", "key"} when the
// dialog shows the verification key, {"event": "added", "title"} at the end of the dialog,
// {"event": "page_error", "message"}, and at last {"event": "done"}.
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const options = JSON.parse(process.argv[2]);
const require = createRequire(path.join(options.modules, "package.json"));
const { chromium } = require("playwright-core");
const TIMEOUT = 60_000;
const KEY = /\b[0-9A-F]{8}\b/;

const say = (event, data = {}) => console.log(JSON.stringify({ event, ...data }));
mkdirSync(options.shots, { recursive: true });

const browser = await chromium.launch({
  executablePath: options.chromium,
  headless: true,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
const context = await browser.newContext({
  viewport: { width: 1280, height: 900 },
  locale: "en-GB",
});
const page = await context.newPage();
page.setDefaultTimeout(TIMEOUT);
page.on("pageerror", (error) => say("page_error", { message: error.message }));

let number = 0;
async function shot(name) {
  number += 1;
  const file = path.join(options.shots, `${String(number).padStart(2, "0")}-${name}.png`);
  // Dialogs and pages slide in: a picture of the end of it is wanted.
  await page.evaluate(() =>
    Promise.all(
      document
        .getAnimations()
        .filter((animation) => animation.effect?.getTiming().iterations !== Infinity)
        .map((animation) => animation.finished.catch(() => {})),
    ),
  );
  await page.waitForTimeout(600);
  await page.screenshot({ path: file });
  say("shot", { file });
}

async function signIn() {
  await page.goto(options.url);
  await page.locator('input[name="username"]').fill(options.username);
  await page.locator('input[name="password"]').fill(options.password);
  await page.locator('input[name="password"]').press("Enter");
  await page.waitForURL((url) => !url.pathname.startsWith("/auth"));
  await page.locator("home-assistant-main").waitFor();
}

async function addDiscovered() {
  await page.goto(`${options.url}/config/integrations/dashboard`);
  const card = page.locator("ha-config-flow-card").filter({ hasText: options.device }).first();
  await card.waitFor();
  await shot("discovered");
  await card.getByRole("button", { name: "Add" }).click();
  const dialog = page.locator("dialog-data-entry-flow");
  const form = dialog.locator("step-flow-form");
  await form.waitFor();
  await shot("confirm");
  await dialog.getByRole("button", { name: /^(submit|next|pair|add)$/i }).first().click();
  if (options.key) {
    const progress = dialog.locator("step-flow-progress");
    const shown = progress.getByText(KEY).first();
    await shown.waitFor();
    await shot("pairing");
    const key = KEY.exec(await shown.innerText());
    say("key", { key: key ? key[0] : null });
  }
  if (options.pin) await typePins(dialog);
  await dialog.locator("step-flow-create-entry").waitFor();
  await shot("added");
  say("added", { title: options.device });
  const finish = dialog.getByRole("button", { name: /finish|skip and finish/i }).first();
  await finish.click();
  await dialog.locator("step-flow-create-entry").waitFor({ state: "detached" });
}

async function addByHand() {
  await page.goto(`${options.url}/config/integrations/dashboard`);
  await page.getByRole("button", { name: "Add integration" }).first().click();
  const list = page.locator("dialog-add-integration");
  await list.locator("input").first().fill(options.domain);
  const found = list.locator("ha-integration-list-item");
  await found.filter({ hasText: new RegExp(options.domain, "i") }).first().click();
  const dialog = page.locator("dialog-data-entry-flow");
  for (const step of options.steps) {
    if (step.choose) {
      const choice = dialog.locator("step-flow-menu").getByText(step.choose, { exact: true });
      await choice.waitFor();
      await shot("menu");
      await choice.click();
    } else {
      await fillIn(dialog, step.fill);
    }
  }
  await dialog.locator("step-flow-create-entry").waitFor();
  await shot("added");
  say("added", { title: options.device });
  await dialog.getByRole("button", { name: /finish|skip and finish/i }).first().click();
  await dialog.locator("step-flow-create-entry").waitFor({ state: "detached" });
}

async function fillIn(dialog, values) {
  const fields = dialog.locator("step-flow-form").locator("input:not([type=radio])");
  await fields.first().waitFor();
  for (const [index, value] of values.entries()) await fields.nth(index).fill(value);
  await shot("form");
  await dialog.getByRole("button", { name: /^(submit|next)$/i }).first().click();
}

// A form for each PIN, with progress in between, until there is an entry.
async function typePins(dialog) {
  const form = dialog.locator("step-flow-form");
  const field = form.locator("input[autocomplete='one-time-code']");
  const end = dialog.locator("step-flow-create-entry");
  for (;;) {
    await field.or(end).first().waitFor();
    if (await end.isVisible()) return;
    await field.fill(options.pin);
    await shot("pin");
    await dialog.getByRole("button", { name: /^(submit|next)$/i }).first().click();
    // The form stays until the device has answered; the next one is empty.
    const typed = () => field.inputValue({ timeout: 1000 }).catch(() => "");
    while ((await field.isVisible()) && (await typed()) === options.pin) {
      await page.waitForTimeout(50);
    }
  }
}

async function lookAtOptions() {
  const entry = page.locator("ha-config-entry-row").filter({ hasText: options.device }).first();
  await entry.getByRole("button", { name: /configure/i }).click();
  const dialog = page.locator("dialog-data-entry-flow");
  if (options.option) {
    await dialog.getByText(options.option).first().waitFor();
    await shot("options");
    await dialog.getByText(options.option).first().click();
  }
  await dialog.locator("step-flow-form").waitFor();
  await shot("option");
}

async function lookAround() {
  await page.goto(`${options.url}/config/integrations/integration/${options.domain}`);
  await page.getByText(options.device).first().waitFor();
  await shot("integration");
  await lookAtOptions();
  await lookAtDevice(options.device, "device");
  for (const name of options.looks) await lookAtDevice(name, "further-device");
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 390, height: 844 });
  await lookAtDevice(options.device, "device-on-a-phone");
}

async function lookAtDevice(device, picture) {
  // What the frontend itself knows tells where the page of the device is.
  const id = await page.evaluate((name) => {
    const { devices } = document.querySelector("home-assistant").hass;
    return Object.values(devices).find((device) => device.name === name)?.id;
  }, device);
  await page.goto(`${options.url}/config/devices/device/${id}`);
  // A lobby has things to control, a player has none.
  await page.getByText(/^(Controls|Sensors)$/).first().waitFor();
  await shot(picture);
}

try {
  await signIn();
  if (options.steps === null) await addDiscovered();
  else if (options.steps.length) await addByHand();
  await lookAround();
  say("done");
} catch (error) {
  await shot("failed").catch(() => {});
  say("failed", { message: String(error.message ?? error).split("\n").slice(0, 6).join(" | ") });
  process.exitCode = 1;
} finally {
  await browser.close();
}
