#include "tests/histories/support/history_texts.hpp"

#include <fmt/format.h>

namespace sunder::test {
namespace {

using history::Value;

std::size_t scalars_in(const history::ValuePool& pool, Value value) {
  if (!value.is_list()) return 1;
  std::size_t count = 0;
  for (const Value item : pool.items_of(value)) count += scalars_in(pool, item);
  return count;
}

}  // namespace

std::string to_edn(std::string_view jsonl) {
  std::string edn;
  edn.reserve(jsonl.size());
  bool in_name = false;     // of a field
  bool in_keyword = false;  // the function of a transaction's item
  std::size_t depth = 0;    // of lists
  for (std::size_t i = 0; i < jsonl.size(); ++i) {
    const char character = jsonl[i];
    if (character == '[') ++depth;
    if (character == ']') --depth;
    if (in_keyword && character == '"') {
      in_keyword = false;
    } else if (character == '"' && jsonl[i - 1] == '[') {
      in_keyword = true;
      edn += ':';
    } else if (character == '"' && depth == 0 && (jsonl[i - 1] == '{' || jsonl[i - 1] == ',')) {
      in_name = true;
      edn += ':';
    } else if (character == '"' && in_name) {
      in_name = false;
      ++i;  // the colon
      edn += ' ';
      const bool keyword = jsonl[i + 1] == '"' && (edn.ends_with(":type ") || edn.ends_with(":f "));
      if (keyword) {
        edn += ':';
        ++i;
        while (jsonl[i + 1] != '"') edn += jsonl[++i];
        ++i;
      }
    } else if (character == ',') {
      edn += depth == 0 ? ", " : " ";
    } else if (jsonl.substr(i, 4) == "null") {
      edn += "nil";
      i += 3;
    } else {
      edn += character;
    }
  }
  return edn;
}

std::string plume_text(std::int64_t transactions) {
  std::string text;
  std::int64_t value = 0;
  for (std::int64_t i = 0; i < transactions; ++i) {
    for (std::int64_t event = 0; event < 8; ++event) {
      const bool writes = event % 2 == 0;
      text += fmt::format("{}({},{},{},{})\n",
                          writes ? 'w' : 'r',
                          (i * 7 + event / 2 * 13) % 1000,
                          writes ? ++value : value,
                          i % 50,
                          i);
    }
  }
  return text;
}

std::string intervals_text(const history::History& history) {
  std::string text = "# register\n";
  for (const history::Operation& operation : history.operations()) {
    const bool writes = operation.function == history::Function::write;
    const history::Value value = writes ? operation.input : operation.output;
    text += fmt::format("{} {} {} {} {}\n",
                        operation.process,
                        operation.invoke,
                        operation.complete == history::kNever ? -1 : operation.complete,
                        writes ? "write" : "read",
                        value.is_integer() ? value.raw() : 0);
  }
  return text;
}

std::size_t own_size(const history::History& history) {
  constexpr std::size_t kScalar = 8;
  const history::ValuePool& pool = history.pool();
  std::size_t bytes = history.operations().size() * sizeof(history::Operation);
  for (const history::Operation& operation : history.operations()) {
    const bool txn = operation.function == history::Function::txn;
    const bool repeated = txn && operation.output.is_list();
    if (operation.input.is_list() && !repeated)
      bytes += kScalar * scalars_in(pool, operation.input);
    if (operation.output.is_list()) bytes += kScalar * scalars_in(pool, operation.output);
  }
  return bytes;
}

}  // namespace sunder::test
