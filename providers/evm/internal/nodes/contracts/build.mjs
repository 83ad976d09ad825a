// Compiles tokens.sol and records what came out. Once, by hand: npm install solc@0.8.30 && node build.mjs
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const solc = createRequire(process.cwd() + "/")("solc");
const folder = new URL(".", import.meta.url);
const content = readFileSync(new URL("tokens.sol", folder), "utf8");
const settings = { optimizer: { enabled: true, runs: 200 }, evmVersion: "paris", metadata: { bytecodeHash: "none", appendCBOR: false },
	outputSelection: { "*": { "*": ["evm.bytecode.object"] } } };
const out = JSON.parse(solc.compile(JSON.stringify({ language: "Solidity", sources: { "tokens.sol": { content } }, settings })));
const errors = (out.errors ?? []).filter((e) => e.severity === "error");
if (errors.length > 0) throw new Error(errors.map((e) => e.formattedMessage).join("\n"));
const contracts = {};
for (const [name, c] of Object.entries(out.contracts["tokens.sol"])) {
	if (c.evm.bytecode.object) contracts[name] = c.evm.bytecode.object;
}
const sha256 = (s) => createHash("sha256").update(s).digest("hex");
writeFileSync(new URL("tokens.json", folder), JSON.stringify({
	compiler: solc.version(), settings: "optimizer 200 runs, paris, no metadata", source: sha256(content),
	bytecode: sha256(Object.keys(contracts).sort().map((k) => k + contracts[k]).join("\n")), contracts,
}, null, "\t") + "\n");
