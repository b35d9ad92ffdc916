#include "harness/report/escape.hpp"

#include <gtest/gtest.h>

namespace sunder::report {
namespace {

TEST(Escape, KeepsValidUtf8AndReplacesTheRest) {
  EXPECT_EQ(valid_utf8("näh → 🙂"), "näh → 🙂");
  EXPECT_EQ(valid_utf8("a\xFF z"), "a\xEF\xBF\xBD z");
  EXPECT_EQ(valid_utf8("\xC3"), "\xEF\xBF\xBD");                                  // cut short
  EXPECT_EQ(valid_utf8("\xC0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD");                  // overlong
  EXPECT_EQ(valid_utf8("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // surrogate
  EXPECT_EQ(valid_utf8("\xEF\xBF\xBF"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // U+FFFF
}

TEST(Escape, ShowsControlCharactersAsPictures) {
  EXPECT_EQ(printable("\x1b[31m"), "␛[31m");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a␀b");
  EXPECT_EQ(printable("\x7f"), "␡");
  EXPECT_EQ(printable("\xC2\x9B"), "\xEF\xBF\xBD");  // a C1 control: terminals act on it
  EXPECT_EQ(printable("a\n\tb"), "a\n\tb");
}

TEST(Escape, LeavesNoMarkup) {
  EXPECT_EQ(escape_markup("<a href=\"x\" b='y'>&"),
            "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
}

TEST(Escape, LeavesNothingInAScriptThatEndsIt) {
  EXPECT_EQ(escape_script("</script><!--&"), "\\u003c/script\\u003e\\u003c!--\\u0026");
  EXPECT_EQ(escape_script("a\xE2\x80\xA8z\xE2\x80\xA9"), "a\\u2028z\\u2029");
  EXPECT_EQ(escape_script("→"), "→");
}

TEST(Escape, LeavesNoMeaningToMarkdown) {
  EXPECT_EQ(escape_markdown("a|b\n`c` <img> [x]"), "a\\|b \\`c\\` &lt;img&gt; \\[x\\]");
}

TEST(Escape, CountsAndCutsByCharacters) {
  EXPECT_EQ(column_count("a→b"), 3U);
  EXPECT_EQ(prefix_of("a→b", 3), "a");
  EXPECT_EQ(prefix_of("a→b", 4), "a→");
  EXPECT_EQ(prefix_of("abc", 9), "abc");
}

}  // namespace
}  // namespace sunder::report
