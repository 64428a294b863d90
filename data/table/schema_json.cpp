// A table's schema as a checkpoint holds it.
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "data/table/table_schema.h"

namespace weft::data {
namespace {

using Json = nlohmann::ordered_json;

/// Reads members, and says which one cannot be what it is.
class Reader {
 public:
  Reader(const Json& json, const std::string& where) : json_(json), where_(where) {
    if (!json.is_object()) fail<ConfigError>(where_, "expects the columns of a table");
  }
  const Json& at(const char* name) const {
    if (!json_.contains(name)) fail<ConfigError>(where_, "a table's columns have no {}", name);
    return json_[name];
  }
  std::string text(const char* name) const {
    if (!at(name).is_string()) fail<ConfigError>(where_, "{} of a table must be a text", name);
    return at(name).get<std::string>();
  }
  bool flag(const char* name) const {
    if (!at(name).is_boolean())
      fail<ConfigError>(where_, "{} of a table must be true or false", name);
    return at(name).get<bool>();
  }
  double number(const char* name) const {
    const double value = at(name).is_number() ? at(name).get<double>() : NAN;
    if (!std::isfinite(value))
      fail<ConfigError>(where_, "{} of a table must be a finite number", name);
    return value;
  }
  std::vector<std::string> sorted_texts(const char* name) const {
    std::vector<std::string> texts;
    if (!at(name).is_array()) fail<ConfigError>(where_, "{} of a table must be a list", name);
    for (const Json& one : at(name)) {
      if (!one.is_string()) fail<ConfigError>(where_, "{} of a table must be texts", name);
      texts.push_back(one.get<std::string>());
    }
    if (!std::is_sorted(texts.begin(), texts.end()) ||
        std::adjacent_find(texts.begin(), texts.end()) != texts.end())
      fail<ConfigError>(where_, "{} of a table must be in order, each once", name);
    return texts;
  }
  MeanStd scale() const {
    const MeanStd scale{number("mean"), number("std")};
    if (!(scale.std > 0)) fail<ConfigError>(where_, "std of a table must be above 0");
    return scale;
  }

 private:
  const Json& json_;
  const std::string& where_;
};

}  // namespace

std::string TableSchema::to_json() const {
  Json all = Json::object();
  all["named"] = named;
  all["target"] = {{"name", target.name},
                   {"classes", target.classes},
                   {"mean", target.scale.mean},
                   {"std", target.scale.std}};
  all["columns"] = Json::array();
  for (const TableColumn& column : columns) {
    Json one = {{"name", column.name}, {"type", name(column.type)}};
    if (column.type == ColumnType::category) {
      one["categories"] = column.categories;
    } else {
      one["mean"] = column.scale.mean;
      one["std"] = column.scale.std;
      one["median"] = column.median;
      one["indicator"] = column.indicator;
    }
    all["columns"].push_back(std::move(one));
  }
  return all.dump();
}

TableSchema TableSchema::from_json(const std::string& text, const std::string& where) {
  const Json json = Json::parse(text, nullptr, false);
  const Reader all(json, where);
  TableSchema schema;
  schema.named = all.flag("named");
  const Reader target(all.at("target"), where);
  schema.target.name = target.text("name");
  schema.target.classes = target.sorted_texts("classes");
  schema.target.scale = target.scale();
  if (schema.target.classes.size() == 1)
    fail<ConfigError>(where, "a table's target needs at least two classes");
  if (!all.at("columns").is_array() || all.at("columns").empty())
    fail<ConfigError>(where, "expects the columns of a table");
  double width = 0;
  for (const Json& one : all.at("columns")) {
    const Reader reader(one, where);
    TableColumn column{.name = reader.text("name")};
    const std::string type = reader.text("type");
    if (type == "category") {
      column.type = ColumnType::category;
      column.categories = reader.sorted_texts("categories");
    } else if (type == "number" || type == "date") {
      column.type = type == "date" ? ColumnType::date : ColumnType::number;
      column.scale = reader.scale();
      column.median = reader.number("median");
      column.indicator = reader.flag("indicator");
    } else {
      fail<ConfigError>(where, "a column is a number, a date or a category, not `{}`", type);
    }
    width += static_cast<double>(column.width());
    schema.columns.push_back(std::move(column));
  }
  if (width > 1e9) fail<ConfigError>(where, "a table of {} features is not read", width);
  return schema;
}

}  // namespace weft::data
