// Campaign tables: the numbers of many runs as HTML, Markdown and aligned text.

#include <algorithm>

#include <fmt/format.h>

#include "harness/report/escape.hpp"
#include "harness/report/report.hpp"

namespace sunder::report {
namespace {

std::string cells_html(const std::vector<std::string>& cells, std::string_view tag) {
  std::string out = "<tr>";
  for (const std::string& cell : cells) {
    out += fmt::format("<{0}>{1}</{0}>", tag, escape_markup(cell));
  }
  return out + "</tr>\n";
}

std::string cells_markdown(const std::vector<std::string>& cells) {
  std::string out = "|";
  for (const std::string& cell : cells) out += fmt::format(" {} |", escape_markdown(cell));
  return out + "\n";
}

std::vector<std::size_t> widths_of(const CampaignTable& table) {
  std::vector<std::size_t> widths;
  for (const std::string& name : table.header) widths.push_back(column_count(name));
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < std::min(row.size(), widths.size()); ++i) {
      widths[i] = std::max(widths[i], column_count(printable(row[i])));
    }
  }
  return widths;
}

std::string line_terminal(const std::vector<std::string>& cells,
                          const std::vector<std::size_t>& widths) {
  std::string out = " ";
  for (std::size_t i = 0; i < std::min(cells.size(), widths.size()); ++i) {
    const std::string text = printable(cells[i]);
    out += ' ' + text;
    if (i + 1 < widths.size()) out.append(widths[i] - column_count(text) + 1, ' ');
  }
  return out + "\n";
}

}  // namespace

std::string table_html(const std::vector<std::string>& header,
                       const std::vector<std::vector<std::string>>& rows) {
  std::string body;
  for (const auto& row : rows) body += cells_html(row, "td");
  return fmt::format(
      "<table><thead>{}</thead>\n<tbody>{}</tbody></table>", cells_html(header, "th"), body);
}

std::string render_table_html(const CampaignTable& table) {
  const std::string note =
      table.note.empty() ? "" : fmt::format("<p>{}</p>", escape_markup(table.note));
  return fmt::format("<section><h2>{}</h2>\n{}{}</section>\n",
                     escape_markup(table.title),
                     table_html(table.header, table.rows),
                     note);
}

std::string render_table_markdown(const CampaignTable& table) {
  std::string out = fmt::format("## {}\n\n", escape_markdown(table.title));
  out += cells_markdown(table.header) + "|";
  for (std::size_t i = 0; i < table.header.size(); ++i) out += "---|";
  out += "\n";
  for (const auto& row : table.rows) out += cells_markdown(row);
  if (!table.note.empty()) out += fmt::format("\n{}\n", escape_markdown(table.note));
  return out + "\n";
}

std::string render_table_terminal(const CampaignTable& table) {
  const std::vector<std::size_t> widths = widths_of(table);
  std::string out;
  if (!table.title.empty()) out += fmt::format("  {}\n\n", printable(table.title));
  out += line_terminal(table.header, widths);
  for (const auto& row : table.rows) out += line_terminal(row, widths);
  if (!table.note.empty()) out += fmt::format("\n  {}\n", printable(table.note));
  return out;
}

}  // namespace sunder::report
