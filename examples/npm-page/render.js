// Markdown in the file that is named, HTML on standard output.
const fs = require("fs");
const { marked } = require("marked");

const body = marked.parse(fs.readFileSync(process.argv[2], "utf8"));
process.stdout.write(`<!doctype html>\n<meta charset="utf-8">\n<title>npm-page</title>\n${body}`);
