// From what a user types after --data to a path.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weft::data {

/// Where the data set lies. The names of the shipped sets (`shakespeare tang mnist sms-spam wine
/// adult`) and the names of their files are looked for in $WEFT_DATA, ./data/sets, and beside the
/// program
/// (../../data/sets, ../data/sets,
/// ../share/weft/data, ...). Anything else is a path; so is a shipped name with a slash, such as
/// `./mnist`. Throws IoError that says where it looked.
std::string find_data_set(std::string_view name_or_path);

/// The folders looked in, in order.
std::vector<std::string> data_set_folders();

/// Names of the shipped sets.
std::vector<std::string> shipped_data_sets();

}  // namespace weft::data
