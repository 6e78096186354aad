// What the npm parsers make of rule files. Standard input: {files: [{path, text}], globs: [...], paths: [...]}.
// Standard output: {files: {path: {parser: {keys, body}}}, matched: {glob: paths},
// attached: {glob: paths}, expanded: {glob: globs}}: `attached` is matched as Continue does it, against addresses.
// `keys` is null for a file that cannot be read, and `error` says why.

import { readFileSync } from "node:fs";
import { getRuleType, markdownToRule } from "@continuedev/config-yaml";
import matter from "gray-matter";
import { load } from "js-yaml";
import { braceExpand, minimatch } from "minimatch";
import { parse } from "yaml";

const ROOT = "file:///project/";

// YAML parsers read the lines between the first two `---`; a file that does not begin with one has no keys.
function withYaml(read) {
  return (text) => {
    const found = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(text);
    return found ? { keys: read(found[1]), body: found[2] } : { keys: {}, body: text };
  };
}

function withGrayMatter(text) {
  const { data, content } = matter(text, {}); // without options it answers from a cache
  return { keys: data, body: content };
}

function withContinue(text, path) {
  const { rule, sourceFile, ...keys } = markdownToRule(text, { uriType: "file", fileUri: ROOT + path });
  return { keys: { ...keys, type: getRuleType(keys) }, body: rule };
}

const PARSERS = {
  "gray-matter": withGrayMatter,
  "js-yaml": withYaml((header) => load(header)),
  yaml: withYaml((header) => parse(header)),
  continue: withContinue,
};

function attempt(parser, { path, text }) {
  try {
    return parser(text, path);
  } catch (error) {
    return { keys: null, body: "", error: String(error) };
  }
}

function each(list, name, value) {
  return Object.fromEntries(list.map((item) => [name(item), value(item)]));
}

const asked = JSON.parse(readFileSync(0, "utf8"));
const everyPath = (glob) => asked.paths.filter((path) => minimatch(path, glob, { dot: true }));
const everyAddress = (glob) => asked.paths.filter((path) => minimatch(ROOT + path, glob));
const everyParser = (file) => each(Object.keys(PARSERS), (name) => name, (name) => attempt(PARSERS[name], file));
process.stdout.write(
  JSON.stringify({
    files: each(asked.files, (file) => file.path, everyParser),
    matched: each(asked.globs, (glob) => glob, everyPath),
    attached: each(asked.globs, (glob) => glob, everyAddress),
    expanded: each(asked.globs, (glob) => glob, (glob) => braceExpand(glob)),
  }),
);
