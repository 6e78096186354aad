import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from vettle.engine.arguments import RULE_CHARACTERS, RequiredRuleText
from vettle.renderers.imports.instructions import Reading, instructions
from vettle.renderers.imports.source import EXCERPT

RULE = TypeAdapter(RequiredRuleText)

PIECES = st.sampled_from(
    [
        "- ",
        "* ",
        "1. ",
        "  - ",
        "      - ",
        "• ",
        "**1** ",
        "# ",
        "> ",
        "```",
        "~~~",
        "    ",
        "\t",
        "|",
        "|-|-|",
        "---",
        "\n",
        "\n\n",
        "\r\n",
        "\r",
        " ",
        "  \n",
        "Always test.",
        "Never mock ",
        "Use `a. B` now",
        "Do not:",
        "When x:",
        "word",
        "React",
        "etc. ",
        "e.g. ",
        "**Bold**: ",
        "[x](y)",
        "http://a.b",
        "`",
        "<!-- ",
        " -->",
        "<b>",
        "?",
        ":",
        "<!-- BEGIN vettle rules sha256:0123456789ab -->",
        "<!-- END vettle rules -->",
        "[ ] ",
        "├── src",
        "\x00",
        "\x1b",
        "\xa0",
        "\u2028",
        "\x0b",
        "\x1c",
        "\ufdd0",
        "\u200b",
        "[a]: b",
        "a: b",
        "It ",
        "Unless ",
    ]
)
DOCUMENTS = st.one_of(
    st.lists(PIECES, max_size=25).map("".join), st.text(st.characters(exclude_categories=[]), max_size=80)
)


def taken(markdown: str) -> list[str]:
    """Return the texts that are taken."""
    return [found.text for found in instructions(markdown).taken]


def passed(markdown: str) -> list[tuple[int, str]]:
    """Return line and reason of what is passed over."""
    return [(found.line, found.reason) for found in instructions(markdown).passed]


def squeezed(text: str) -> str:
    """Return the letters and digits of a text: what is left when layout and marks do not count."""
    return "".join(character for character in text if character.isalnum())


def occurs(text: str, source: str) -> bool:
    """Tell whether the text, or the end of it behind a label, stands in the source but for its layout."""
    starts = [0, *(match.end() for match in re.finditer(": ", text))]
    return any(squeezed(text[start:]) in squeezed(source) for start in starts)


def lines_of(text: str) -> list[str]:
    """Return the lines as an editor counts them."""
    return re.split(r"\r\n|\r|\n", text)


# --- list items ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bullet", ["- ", "* ", "+ ", "1. ", "7) ", "- [ ] ", "* [x] ", "• ", "  ◦ ", "**3** "]
)
def test_every_kind_of_list_item_is_an_instruction(bullet: str) -> None:
    """The bullet, the number and the checkbox are not part of the rule."""
    assert taken(f"Intro text.\n\n{bullet}Use tabs for indentation.\n") == ["Use tabs for indentation."]


def test_an_item_is_its_first_paragraph_on_one_line() -> None:
    """Wrapped lines are joined by one space; marks of emphasis and code stay as they are written."""
    text = "- **Never** use\n  `any`\t or *unknown*.\n\n  More about it.\n"
    assert taken(text) == ["**Never** use `any` or *unknown*."]
    assert passed(text) == [(4, "prose")]


def test_a_line_without_indentation_does_not_run_into_the_item() -> None:
    """A forgotten blank line must not glue two rules together; a wrapped line still belongs to its item."""
    assert taken(
        "- Keep server state in React Query.\nNever use Zustand for it.\n- Name files in\nlower case.\n"
    ) == [
        "Keep server state in React Query.",
        "Never use Zustand for it.",
        "Name files in lower case.",
    ]


def test_a_label_is_kept_with_its_items() -> None:
    """An item that only introduces others is not a rule, and they need it to be understood."""
    text = "- **Naming:**\n  - Use kebab-case for files.\n    - Constants:\n      - Use capitals.\n- Test it well.\n"
    assert taken(text) == [
        "Naming: Use kebab-case for files.",
        "Naming: Constants: Use capitals.",
        "Test it well.",
    ]
    assert passed(text) == [(1, "the label of the items below it"), (3, "the label of the items below it")]


def test_a_list_that_is_not_indented_enough_still_belongs_to_its_label() -> None:
    """Two spaces are too few below "1. ", which Markdown minds and authors do not."""
    assert taken("1. Naming:\n\n  - Use kebab-case.\n") == ["Naming: Use kebab-case."]


def test_a_label_ends_with_its_own_items() -> None:
    """The list after it is another one, and so is the sentence behind the last item."""
    text = "- Naming:\n  - Use kebab-case.\n\n1. Test it well.\n2. Style:\n   - Use tabs now.\nNever mix tabs in.\n"
    assert taken(text) == [
        "Naming: Use kebab-case.",
        "Test it well.",
        "Style: Use tabs now.",
        "Never mix tabs in.",
    ]


def test_items_indented_too_far_are_items() -> None:
    """To Markdown they continue the line above; to everybody else they are a nested list."""
    text = "- Style:\n        - Use tabs for indentation.\n        - Keep lines short.\n"
    assert taken(text) == ["Style: Use tabs for indentation.", "Style: Keep lines short."]


@pytest.mark.parametrize(
    "label", ["Do NOT", "Forbidden", "Anti-patterns", "Things to avoid", "❌ Bad", "Don\u2019t"]
)
def test_a_heading_that_forbids_is_kept_with_its_items(label: str) -> None:
    """Taken alone these items would order what the file forbids, the worst an import can do."""
    text = f"## {label}\n\n- Use `any`.\n- Never use `eval`.\n\n## Style\n\n- Use tabs for it.\n"
    assert taken(text) == [f"{label}: Use `any`.", "Never use `eval`.", "Use tabs for it."]


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("Never:", "Never: Skip the tests."),
        ("You will be penalized if you:", "You will be penalized if you: Skip the tests."),
        ("When the database is down:", "When the database is down: Skip the tests."),
        ("For documentation changes:", "For documentation changes: Skip the tests."),
        ("**Workflow:**", "Skip the tests."),
        ("Follow these guidelines:", "Skip the tests."),
    ],
)
def test_a_sentence_that_limits_a_list_is_kept_with_its_items(label: str, expected: str) -> None:
    """What forbids or limits stays; what merely names the list does not."""
    assert taken(f"{label}\n\n- Skip the tests.\n") == [expected]
    assert taken(f"{label}\n- Skip the tests.\n") == [expected]


def test_a_sentence_is_completed_by_the_items_below_it() -> None:
    """Fragments are no rules, but with the sentence that they end they are."""
    text = "Avoid nesting blocks by:\n- Early returns\n- helper functions\n"
    assert taken(text) == [
        "Avoid nesting blocks by: Early returns",
        "Avoid nesting blocks by: helper functions",
    ]


def test_under_a_heading_that_forbids_nothing_ambiguous_is_taken() -> None:
    """The advice below a mistake, or the command in its prose, would come out as forbidden."""
    text = "## Common mistakes\n\nUse hooks instead.\n\nNever use classes.\n\n- Mutating props in place\n  - Copy them.\n"
    assert taken(text) == ["Never use classes.", "Common mistakes: Mutating props in place"]
    assert passed(text) == [(3, "prose"), (8, "what it means depends on the item above it")]


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ("React", "too few words to be an instruction"),
        ("TypeScript 5", "too few words to be an instruction"),
        ("Donald Knuth", "too few words to be an instruction"),
        ("[The guide](https://example.org/guide)", "a link"),
        ("Docs: <https://example.org>", "a link"),
        ("`src/main.py`", "code"),
        ("`make` / `tox`", "code"),
        ("src/components/button.tsx", "too few words to be an instruction"),
        ("Test Data", "too few words to be an instruction"),
        ("Build Tools", "too few words to be an instruction"),
        ("Strict mode", "too few words to be an instruction"),
        ("**Error Handling and Logging**", "a heading"),
        ("Should it be faster?", "a question"),
        ("Framework: Next.js 15 (App Router)", "a fact"),
        ("Language version: ^5.4.0", "a fact"),
        ("`now` - Returns the current datetime", "a description"),
        ("src/hooks/: data fetching hooks", "a description"),
        ("├── src/ the sources", "a description"),
        ("Creates the records of the mail server.", "a description"),
        ("Import it like this:", "it only introduces what is below it"),
        ("You are a senior engineer.", "a role"),
        ("Indentation: [tabs or spaces]", "a form to fill in"),
        ("Except for well-known abbreviations.", "what it means depends on the item above it"),
        ("@docs/style.md", "an import"),
        ("Use tabs \x1b[31m everywhere.", "a control character in it"),
        ("Use tabs \x00 everywhere.", "a control character in it"),
        ("x" * 401, "longer than 400 characters"),
        ("Use a tab <!-- or", "an HTML comment that does not end in it"),
    ],
)
def test_what_is_no_instruction_is_passed_over_with_the_reason(item: str, reason: str) -> None:
    """Nothing is dropped in silence: each item is a rule or stands in the report."""
    reading = instructions(f"- {item}\n")
    assert not reading.taken
    assert [(found.line, found.reason) for found in reading.passed] == [(1, reason)]


@pytest.mark.parametrize(
    "item",
    [
        "Use Tailwind",
        "No emojis",
        "Sort imports.",
        "Mock fetch",
        "Test edges",
        "Build tools",
        "Avoid mixins",
        "Early returns are preferred",
        "Named volumes for persistence",
        "Styling: use Tailwind only",
        "Build: `make lint` before every commit",
        "`any` is forbidden",
        "**Always** close files",
        "Keep Components Small",
        "Handlers are thin: at most 10 lines",
        "Follow https://example.org/style for names of files",
        "Wählen Sie kurze Namen für Variablen",
        "変数名には英語を使うこと",
        "Variables/Functions: camelCase (e.g., productList)",
        "Unless asked otherwise, only set the path",
    ],
)
def test_a_real_instruction_is_not_lost(item: str) -> None:
    """Short, unusual and foreign instructions are instructions."""
    assert taken(f"- {item}\n") == [item]


def test_the_longest_rule_fits_with_its_label() -> None:
    """Exactly the limit is taken; one character more is passed over whole, never cut."""
    longest = "Use " + "x" * (RULE_CHARACTERS - 4)
    assert taken(f"- {longest}\n") == [longest]
    assert passed(f"- A:\n  - {longest}\n")[-1] == (2, f"longer than {RULE_CHARACTERS} characters")


def test_a_repeated_item_names_the_first() -> None:
    """Case, emphasis and the final stop do not make another rule of it."""
    text = "- Use tabs in code.\n\nText.\n\n- use **tabs** in code\n"
    assert taken(text) == ["Use tabs in code."]
    assert passed(text) == [(3, "prose"), (5, "the same as line 1")]


def test_comments_and_quotes_around_an_item_are_not_part_of_it() -> None:
    """A comment may hold anything, and quotes come from YAML; what is in code is text."""
    text = '- Use tabs <!-- ignore this --> here.\n- "Prefer static factories"\n- Write `<!-- x -->` for notes.\n'
    assert taken(text) == ["Use tabs here.", "Prefer static factories", "Write `<!-- x -->` for notes."]


# --- sentences -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sentence",
    [
        "Always run the tests.",
        "Do not touch `a.py. Really` files.",
        "Don\u2019t log secrets, e.g. Tokens or keys.",
        "You must not commit to main.",
        "Use Python 3.11 and Node.js 20.",
        "**Security**: Never log a token.",
        "IMPORTANT: Avoid global state (i.e. Singletons).",
        "Please keep functions short.",
        "Every table must have a policy.",
        "A description MUST follow the colon.",
        "Only use `let` when you reassign.",
    ],
)
def test_a_command_in_prose_is_taken_whole(sentence: str) -> None:
    """A stop in code, in a version or in an abbreviation does not end a sentence."""
    text = f"# Title\n\nThis is our house style. {sentence} It has served us well.\n"
    assert taken(text) == [sentence]
    assert passed(text) == [(3, "prose")]


@pytest.mark.parametrize(
    "sentence",
    [
        "Use cases are described elsewhere.",
        "Test data lives in a folder.",
        "The linter always runs.",
        "Use the following pattern:",
        "Should you use tabs?",
        "Keep in mind that it is slow.",
        "Follow these guidelines for better code.",
        "You are an expert who always writes tests.",
        'Use the word "tabs, said the other.',
        "NEVER share.",
        'The key words "MUST" and "SHALL" are used as in the standard.',
    ],
)
def test_other_prose_is_reported_and_not_taken(sentence: str) -> None:
    """Descriptions, questions, introductions and sentences about the file are not rules."""
    assert passed(f"{sentence}\n") == [(1, "prose")]


def test_a_sentence_that_limits_another_is_kept_with_it() -> None:
    """A cut must not drop the "unless", nor what "it" stands for."""
    assert taken("Use tabs. Unless the file has spaces. Never mix. Keep calm and code.\n") == [
        "Use tabs. Unless the file has spaces.",
        "Keep calm and code.",
    ]
    assert taken("The cache is shared. Never clear it by hand.\n") == [
        "The cache is shared. Never clear it by hand."
    ]


def test_lines_without_stops_are_sentences_and_wrapped_lines_are_not() -> None:
    """One command per line is a list without bullets; text that was filled is read as it flows."""
    assert taken("Use the package for schemas\nTests should verify errors\nCreate isolated tests\n") == [
        "Use the package for schemas",
        "Tests should verify errors",
        "Create isolated tests",
    ]
    wrapped = (
        "Always write the test before the code, because the test then says what\nTypeScript must accept.\n"
    )
    assert taken(wrapped) == [" ".join(wrapped.split())]


def test_comment_signs_are_not_part_of_a_sentence() -> None:
    """Old `.cursorrules` are often written as code comments."""
    assert taken("// Prefer hooks over classes\n// Title\n") == ["Prefer hooks over classes"]


# --- what is never read --------------------------------------------------------------------------

HIDDEN_BLOCKS = {
    "fence": "```\n- Use poison.\n\nAlways use poison.\n```",
    "tilde fence": "~~~md\n- Use poison.\n```\n- Use poison.\n~~~",
    "indented code": "    - Use poison.\n    Always use poison.",
    "table": "| Use poison. | b |\n|---|---|\n| Always use poison. | Never use poison. |",
    "quotation": "> - Use poison.\n>\n> Always use poison.\nNever use poison.",
    "html": "<table>\n<tr>\nAlways use poison.\n- Use poison.\n</table>",
    "comment": "<!--\n- Use poison.\n\nAlways use poison.\n-->",
    "heading": "## Always use poison.",
    "underlined heading": "Always use poison.\n===",
    "link definition": "[use]: https://poison.org 'Always use poison.'",
    "script": "<script>\n\n- Use poison.\n\n</script>",
    "example tag": "<example>\n\nAlways use poison.\n\n- Use poison.\n\n</example>",
    "example": "Example:\n\n- Use poison.\n\nText.",
    "block": "<!-- BEGIN vettle rules sha256:0123456789ab -->\n- Use poison.\n<!-- END vettle rules -->",
}


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        ("fence", "code"),
        ("indented code", "code"),
        ("table", "table"),
        ("quotation", "quotation"),
        ("html", "HTML"),
        ("script", "HTML"),
    ],
)
def test_a_block_that_is_not_read_is_reported_once(block: str, reason: str) -> None:
    """The report says that there was more than what was taken."""
    assert passed(f"Title\n=====\n\n{HIDDEN_BLOCKS[block]}\n") == [(4, reason)]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from([*HIDDEN_BLOCKS, "item", "sentence", "nested"]), min_size=1, max_size=8),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.integers(min_value=1, max_value=9),
)
def test_only_items_and_sentences_are_taken_each_from_its_line(
    kinds: list[str], newline: str, first: int
) -> None:
    """Whatever stands beside it, nothing comes out of what is not read, and every line number is exact."""
    lines: list[str] = []
    expected: list[tuple[int, str]] = []
    for number, kind in enumerate(kinds):
        text = f"Always keep {number} {kind} item."
        if kind == "item":
            expected.append((first + len(lines), text))
            lines += [f"- {text}", "", "Text.", ""]
        elif kind == "nested":
            expected.append((first + len(lines) + 2, text))
            lines += ["1. React", "", f"   - {text}", "", "Text.", ""]
        elif kind == "sentence":
            expected.append((first + len(lines) + 1, text))
            lines += ["This is some text about it.", text, ""]
        else:
            lines += [*HIDDEN_BLOCKS[kind].split("\n"), "", "***", ""]
    reading = instructions(newline.join(lines), first_line=first)
    found = [(entry.line, entry.text.removeprefix("React: ")) for entry in reading.taken]
    assert found == expected
    assert not any("poison" in text for _, text in found)


def test_the_managed_block_is_skipped_without_a_word() -> None:
    """What vettle wrote is neither a source nor worth a report; around damaged markers the rest is read."""
    begin, end = "<!-- BEGIN vettle rules sha256:0123456789ab -->", "<!-- END vettle rules -->"
    block = f"{begin}\n## Learned rules\n\n- Use ours now.\n{end}"
    assert instructions(f"- Use mine now.\n\n{block}\n") == instructions("- Use mine now.\n")
    assert taken(f"{begin}\n\n- Use mine now.\n\n{block}\n\n- Use more now.\n{end}\n") == [
        "Use mine now.",
        "Use more now.",
    ]
    assert taken(f"- Use mine now.\n{end}\n- Use more now.\n") == ["Use mine now.", "Use more now."]


def test_code_and_tables_that_are_indented_too_far_are_not_read() -> None:
    """Markdown takes them for text of the item above; they are still code and a table."""
    text = "- Write it so:\n        ```ts\n        Always use poison.\n        ```\n- Types are:\n A | B\n|---|---|\n| Use poison. | c |\n"
    assert taken(text) == []
    assert [reason for _, reason in passed(text)] == [
        "it only introduces what is below it",
        "code",
        "it only introduces what is below it",
        "table",
    ]


# --- tags ----------------------------------------------------------------------------------------


def test_tags_on_lines_of_their_own_hide_nothing() -> None:
    """Prompts are full of them; to Markdown they would be HTML up to the next blank line."""
    text = '<rules name="style">\n- Use tabs for it.\n  <important>\n- Mock fetch\n</important>\nNever mix tabs in.\n</rules>\n'
    reading = instructions(text)
    assert [(found.line, found.text) for found in reading.taken] == [
        (2, "Use tabs for it."),
        (4, "Mock fetch"),
        (6, "Never mix tabs in."),
    ]
    assert not reading.passed
    assert taken("<Task Analysis>\nAlways plan first.\n</Task Analysis>\n") == ["Always plan first."]


@pytest.mark.parametrize("tag", ["forbidden", "do_not", "anti-patterns", "Common Mistakes"])
def test_a_tag_that_forbids_is_kept_with_its_items_up_to_its_end(tag: str) -> None:
    """It turns what it holds as a heading does, across blank lines, headings and other tags, and no more."""
    name = re.sub(r"[-_]", " ", tag)
    inside = "<b>\n\n# Types\n\n- Use `any`.\n\nAlways use `any`.\n</b>"
    text = f"- Use tabs for it.\n<{tag}>\n{inside}\n</{tag}>\n- Sort imports.\n"
    assert taken(text) == ["Use tabs for it.", f"{name}: Use `any`.", "Sort imports."]
    assert taken(f"<{tag}>\n- Use `any`.\n</{tag}>\n- Sort imports.\n") == [
        f"{name}: Use `any`.",
        "Sort imports.",
    ]


@pytest.mark.parametrize("tag", ["example", "bad_examples", "good-example"])
def test_nothing_is_taken_out_of_a_tag_that_holds_examples(tag: str) -> None:
    """An example shows a rule, good or bad; it is none."""
    text = f"<{tag}>\n- Use `any`.\n\n- Never use `eval`.\n</{tag}>\n- Sort imports.\n"
    assert taken(text) == ["Sort imports."]
    assert passed(text) == [(2, "an example"), (4, "an example")]


# --- any text ------------------------------------------------------------------------------------


def check(markdown: str, reading: Reading) -> None:
    """Assert what holds for every reading of every text."""
    lines = lines_of(markdown)
    for found in reading.taken:
        assert RULE.validate_python(found.text) == found.text
        assert 1 <= found.line <= len(lines)
        rest = re.sub(r"<!--.*?-->", "", "\n".join(lines[found.line - 1 :]), flags=re.DOTALL)
        assert occurs(found.text, "\n".join(lines[found.line - 1 :])) or occurs(found.text, rest)
    for entry in reading.passed:
        assert entry.reason
        assert len(entry.text) <= EXCERPT
        assert entry.text.isprintable() or not re.search(r"[\x00-\x1f\x7f-\x9f]", entry.text)
        assert 1 <= entry.line <= len(lines)
    for entries in (reading.taken, reading.passed):
        assert [entry.line for entry in entries] == sorted(entry.line for entry in entries)
    assert len({found.text for found in reading.taken}) == len(reading.taken)


@settings(max_examples=500, deadline=None)
@example("- a\n  ```\nb")
@example("- \n\n  x")
@example("-\n- - -")
@example("• ")
@example("1. a:\n2) b:\n- c d e")
@example("\ud800")
@given(DOCUMENTS)
def test_any_text_is_read_without_inventing_anything(markdown: str) -> None:
    """Never raises; each rule stands in the file from its line on, fits the engine, and comes once."""
    check(markdown, instructions(markdown))
