// Everything of weft::data.
#pragma once

#include "data/find_data_set.h"
#include "data/image/idx.h"
#include "data/image/image_dataset.h"
#include "data/image/png.h"
#include "data/image/transform.h"
#include "data/loader.h"
#include "data/split.h"
#include "data/synthetic/sequence_data.h"
#include "data/synthetic/token_data.h"
#include "data/table/csv.h"
#include "data/table/table_tokens.h"
#include "data/text/text_dataset.h"
#include "data/text/tokenizer.h"
#include "data/text/utf8.h"
