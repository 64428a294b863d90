// The parts of compare_page(), each a piece of HTML, and what they are written with.
#pragma once

#include <string>
#include <vector>

#include "train/compare/results.h"

namespace weft::report::page {

using compare::Phrase;
using compare::Results;

// The files compare_*.css and compare_*.js, as the build has put them into the program.
extern const char* const kCompareStyle;
extern const char* const kCompareScript;

// Writing. Every text of the page stands there twice, marked with its language; the style shows one
// of them.
std::string both(const std::string& en,
                 const std::string& zh);  ///< HTML already; one element where they are alike
std::string both(
    const Phrase& phrase);  ///< plain text, escaped; names between backticks become code
std::string code(const std::string& name);
/// An attribute in English, and what the script replaces it by: `aria-label="..."
/// data-zh-aria-label="..."`.
std::string both_attribute(const std::string& name, const Phrase& phrase);
std::string paragraph(const std::string& en, const std::string& zh,
                      const std::string& classes = "");  ///< HTML already
std::string heading(const std::string& id, const std::string& en, const std::string& zh);

std::string grouped(double count);     ///< "12,345"
std::string in_units(double count);    ///< "12.3 M"; as it is below a thousand
std::string duration(double seconds);  ///< "13 min 32 s", both languages
std::string shown(double value,
                  int decimals);  ///< a <data> element: the figure as read, and as shown
std::string interval(double low, double high,
                     int decimals);  ///< "[0.97, 0.99]"; nothing where there is none
std::string unequal_mark();

/// A table in a box of its own that scrolls sideways. `caption` is HTML.
struct Table {
  std::string id;
  std::string caption;
  std::vector<std::string> columns;            ///< HTML
  std::vector<std::vector<std::string>> rows;  ///< whole <td> or <th scope="row"> elements
  std::string classes;
};
std::string to_html(const Table& table);
std::string cell_text(const std::string& html);    ///< <td>
std::string cell_number(const std::string& html);  ///< <td>, to the right
std::string row_head(const std::string& html);     ///< <th scope="row">
/// A box that opens on a click. `summary` and `body` are HTML.
std::string folded(const std::string& summary, const std::string& body);

Phrase verdict_word(compare::Verdict verdict);
/// Digits after the point for the figures of a task.
int task_decimals(const Results& results, std::size_t task);

// Single runs of a cell (compare_seeds.cpp): a strip of dots between the least and the largest
// figure of the task; how many solved it, and whether their mean describes any; tables of them all.
std::string seed_dots(const Results& results, const compare::ResultCell& cell);
std::string solved_note(const Results& results, const compare::ResultCell& cell);
std::string every_seed(const Results& results);

// The sections, in the order of the page.
std::string top(const Results& results);
std::string matrix(const Results& results);
std::string differences(const Results& results);
std::string curves(const Results& results);
std::string costs(const Results& results);
std::string controls(const Results& results);
std::string methods(const Results& results);
std::string certificates(const Results& results);
std::string exploratory(const Results& results);
std::string runs(const Results& results);
std::string machine(const Results& results);

}  // namespace weft::report::page
