// Parses statements with the Oracle grammar of antlr/grammars-v4 and tells which it accepts.
//
//   node check.mjs FOLDER_WITH_NODE_MODULES < statements.json > answers.json
//
// In: {"name": "statement", ...}. Out: {"name": [] or ["line:column message", ...], ...}. Nothing is fetched.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import path from "node:path";

const home = path.resolve(process.argv[2], "package.json");
const { resolve } = createRequire(home);
const load = (name) => import(pathToFileURL(resolve(name)).href);
const { CharStream, CommonTokenStream } = (await load("antlr4")).default ?? (await load("antlr4"));
const { PlSqlLexer, PlSqlParser } = await load("@griffithswaite/ts-plsql-parser");

const SLL = 0, LL = 1; // prediction modes of ANTLR: SLL is fast and may refuse what LL accepts, never the other way round

function faultsOf(statement) {
  const quick = parse(statement, SLL);
  return quick.length ? parse(statement, LL) : quick;
}

function parse(statement, mode) {
  const faults = [];
  const listener = {
    syntaxError: (_, __, line, column, message) => faults.push(`${line}:${column} ${message}`),
    reportAmbiguity() {}, reportAttemptingFullContext() {}, reportContextSensitivity() {},
  };
  const lexer = new PlSqlLexer(new CharStream(statement + "\n"));
  const parser = new PlSqlParser(new CommonTokenStream(lexer));
  for (const part of [lexer, parser]) {
    part.removeErrorListeners();
    part.addErrorListener(listener);
  }
  parser._interp.predictionMode = mode;
  parser.sql_script();
  return faults;
}

const statements = JSON.parse(readFileSync(0, "utf8"));
const answers = Object.fromEntries(Object.entries(statements).map(([name, text]) => [name, faultsOf(text)]));
process.stdout.write(JSON.stringify(answers) + "\n");
