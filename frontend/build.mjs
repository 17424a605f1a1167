// Bundles the map into the Python package, or, with --tests, the tests for Node to run.
import { readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const OUT = here("../src/signalpost/django/static/signalpost/map.js");

/** The licences of what was bundled, which have to go with it. */
async function licences(inputs) {
  const found = new Set(Object.keys(inputs).flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []));
  const texts = [];
  for (const name of [...found].sort()) {
    const files = await readdir(here(`node_modules/${name}`));
    const file = files.find((each) => /^licen[cs]e/i.test(each));
    if (!file) throw new Error(`${name} has no licence file`);
    texts.push(`${name}\n\n${await readFile(here(`node_modules/${name}/${file}`), "utf8")}`);
  }
  return texts.join("\n----------------------------------------\n\n");
}

if (process.argv.includes("--tests")) {
  await rm(here(".cache/tests"), { recursive: true, force: true });
  const tests = (await readdir(here("tests"))).filter((name) => name.endsWith(".test.ts"));
  await build({
    entryPoints: tests.map((name) => here(`tests/${name}`)),
    outdir: here(".cache/tests"),
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    platform: "node",
    logLevel: "warning",
  });
} else {
  const { metafile } = await build({
    entryPoints: [here("src/main.ts")],
    outfile: OUT,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  await writeFile(`${OUT}.licenses.txt`, await licences(metafile.inputs));
  console.log(`map.js: ${Math.round((await stat(OUT)).size / 1024)} KB`);
}
