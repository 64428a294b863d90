// Mean attention distance by layer, a dot a head, as an SVG picture: the form of Dosovitskiy et al.
// 2020 (arXiv 2010.11929), figure 7.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "train/explain/attention_maps.h"

namespace weft::explain {

/// `marks`: dashed lines to compare with, each with its name.
std::string distance_plot(const HeadDistances& distances,
                          const std::vector<std::pair<std::string, double>>& marks);

}  // namespace weft::explain
