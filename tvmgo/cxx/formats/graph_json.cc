// SPDX-License-Identifier: Apache-2.0
//
// The reference implementation checks hardly anything and then trusts every
// number; here whatever an index or a size could do wrong later is refused now.
#include "formats/graph_json.h"

#include "formats/json_value.h"
#include "formats/text_place.h"
#include "tensor/dtype_string.h"

namespace tvmgo {
namespace {

constexpr char kDocument[] = "graph JSON";

// Reads one document. Order matters: node_row_ptr tells which entries exist, before anything refers
// to them.
class GraphReader {
 public:
  explicit GraphReader(const JsonObject& top) : top_(top) {}

  Graph Read() {
    top_.AllowOnly({"nodes", "arg_nodes", "heads", "node_row_ptr", "attrs", "metadata"}, "key",
                   " is not supported");
    const Json nodes = top_.Get("nodes");
    const Json row_ptr = top_.Get("node_row_ptr");
    graph_.nodes.resize(nodes.Size());
    ReadRowPtr(row_ptr);
    for (size_t i = 0; i < graph_.nodes.size(); ++i) ReadNode(nodes[i], i);
    ReadInputs(top_.Get("arg_nodes"));
    ReadOutputs(top_.Get("heads"));
    ReadEntries(top_.Get("attrs"));
    return std::move(graph_);
  }

 private:
  void ReadRowPtr(const Json& row_ptr) {
    if (row_ptr.Size() != graph_.nodes.size() + 1) {
      row_ptr.Fail("one number per node and one more, " + std::to_string(graph_.nodes.size() + 1) +
                   " in all");
    }
    int64_t previous = row_ptr[0].Int(0, 0);
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const int64_t next = row_ptr[i + 1].Int(previous, INT32_MAX);
      graph_.nodes[i].first_output = static_cast<uint32_t>(previous);
      graph_.nodes[i].num_outputs = static_cast<uint32_t>(next - previous);
      previous = next;
    }
    num_entries_ = static_cast<size_t>(previous);
  }

  void ReadNode(const Json& json, size_t id) {
    const JsonObject fields(json);
    fields.AllowOnly({"op", "name", "inputs", "attrs", "attr", "control_deps"},
                     "do not support key", "");
    Node& node = graph_.nodes[id];
    node.name = fields.Get("name").Text();
    const Json op = fields.Get("op");
    const Json inputs = fields.Get("inputs");
    for (size_t i = 0; i < inputs.Size(); ++i) node.inputs.push_back(ReadEntryRef(inputs[i], id));
    if (const auto deps = fields.Find("control_deps")) {  // execution order is node order
      for (size_t i = 0; i < deps->Size(); ++i) (*deps)[i].Index(graph_.nodes.size());
    }
    if (op.Text() == "null") {
      if (!node.inputs.empty()) inputs.Fail("no inputs of a \"null\" node");
      RequireOutputs(json, node, 1);
    } else if (op.Text() == "tvm_op") {
      node.is_op = true;
      ReadOpAttrs(fields, &node);
    } else {
      op.Fail("\"null\" or \"tvm_op\" (Can only take tvm_op as op)");
    }
  }

  void ReadOpAttrs(const JsonObject& fields, Node* node) {
    const Json json = fields.Get(fields.Find("attr") ? "attr" : "attrs");
    const JsonObject attrs(json);
    for (const auto& [name, value] : attrs.members()) {
      const std::string_view text = Json(value.view(), json, name).Text();
      if (name == "hash" || name.find("layout") != std::string::npos) {
        node->traits.emplace_back(name, text);
      }
    }
    attrs.Get("num_inputs");  // must be there, but the real number is the length of `inputs`
    node->func_name = attrs.Get("func_name").Text();
    node->flatten_data = attrs.Get("flatten_data").Digits() != 0;
    const Json num_outputs = attrs.Get("num_outputs");
    RequireOutputs(num_outputs, *node, num_outputs.Digits());
  }

  static void RequireOutputs(const Json& place, const Node& node, int64_t expected) {
    if (node.num_outputs == expected) return;
    place.FailWith("node \"" + Printable(node.name) + "\" has " + std::to_string(expected) +
                   " outputs, but node_row_ptr gives it " + std::to_string(node.num_outputs));
  }

  // Resolves [node, index] or [node, index, version] to an entry of a node below `end`.
  uint32_t ReadEntryRef(const Json& ref, size_t end) {
    if (ref.Size() != 2 && ref.Size() != 3) {
      ref.Fail("[node, index] or [node, index, version] (invalid json format)");
    }
    if (ref.Size() == 3) ref[2].Int();  // never used by any release
    const Node& node = graph_.nodes[ref[0].Index(end)];
    return node.first_output + ref[1].Index(node.num_outputs);
  }

  void ReadInputs(const Json& arg_nodes) {
    for (size_t i = 0; i < arg_nodes.Size(); ++i) {
      const uint32_t id = arg_nodes[i].Index(graph_.nodes.size());
      if (graph_.nodes[id].is_op) arg_nodes[i].Fail("the id of a \"null\" node");
      graph_.inputs.push_back(id);
    }
  }

  void ReadOutputs(const Json& heads) {
    for (size_t i = 0; i < heads.Size(); ++i) {
      const Json head = heads[i];
      graph_.outputs.push_back(ReadEntryRef(head, graph_.nodes.size()));
      graph_.output_nodes.push_back(static_cast<uint32_t>(head[0].Int()));
    }
  }

  // The table of entry attributes: {NAME: [TYPE_TAG, LIST]}; names not known here are skipped.
  void ReadEntries(const Json& json) {
    const JsonObject attrs(json);
    ReadList(attrs, "shape", "list_shape", true, [](const Json& item, Entry* entry) {
      for (size_t i = 0; i < item.Size(); ++i) entry->shape.push_back(item[i].Int(0, INT64_MAX));
    });
    ReadList(attrs, "dltype", "list_str", true, [](const Json& item, Entry* entry) {
      entry->dtype_name = item.Text();
      entry->dtype = ReadDType(item);
    });
    ReadList(attrs, "storage_id", "list_int", true,
             [](const Json& item, Entry* entry) { entry->storage_id = item.Int(); });
    ReadList(attrs, "device_index", "list_int", false, [](const Json& item, Entry* entry) {
      entry->device_type = static_cast<int32_t>(item.Int(0, INT32_MAX));
    });
    ReadList(attrs, "storage_scope", "list_str", false, [](const Json& item, Entry*) {
      if (!item.Text().empty() && item.Text() != "global") {
        item.Fail("the memory scope \"\" or \"global\"");
      }
    });
    CheckStorageIds(attrs.Get("storage_id"));
    ReadList(attrs, "tvmgo_place", "list_int", false,
             [](const Json& item, Entry* entry) { entry->place = item.Int(-1, INT32_MAX); });
    for (uint32_t node : graph_.inputs) {
      if (graph_.entries[graph_.nodes[node].first_output].place < 0) continue;
      attrs.Get("tvmgo_place")[1].Fail(
          "-1 for inputs and parameters, which have memory of their own");
    }
    if (const auto tagged = attrs.Find("tvmgo_model_id")) ReadModelId(*tagged);
  }

  // In two numbers, because TVM skips lists of 32-bit integers only.
  void ReadModelId(const Json& tagged) {
    const Json halves = ListOf(tagged, "list_int");
    if (halves.Size() != 2) halves.Fail("two numbers");
    graph_.model_id = halves[0].Int(0, INT32_MAX) << 31 | halves[1].Int(0, INT32_MAX);
  }

  static Json ListOf(const Json& tagged, const char* tag) {
    if (tagged.Size() != 2) tagged.Fail("[type tag, list]");
    if (tagged[0].Text() != tag) tagged[0].Fail("the type tag \"" + std::string(tag) + "\"");
    return tagged[1];
  }

  template <typename ReadItem>
  void ReadList(const JsonObject& attrs, const char* key, const char* tag, bool required,
                ReadItem read_item) {
    if (!required && !attrs.Find(key)) return;
    const Json tagged = attrs.Get(key);
    const Json list = ListOf(tagged, tag);
    if (list.Size() != num_entries_) {
      list.Fail("one item per entry, " + std::to_string(num_entries_) + " in all");
    }
    graph_.entries.resize(num_entries_);  // only now: node_row_ptr alone may claim anything
    for (size_t i = 0; i < num_entries_; ++i) read_item(list[i], &graph_.entries[i]);
  }

  static DLDataType ReadDType(const Json& item) {
    try {
      return StoredDType(ParseDType(item.Text()));
    } catch (const tvm::ffi::Error& error) {
      item.FailWith(error.message());
    }
  }

  // Files of TVM 0.2 hold -1 for variables, which then own their memory. Elsewhere a negative id
  // once marked shapes unknown before run time.
  void CheckStorageIds(const Json& storage_id) {
    std::vector<bool> is_input(num_entries_, false);
    for (uint32_t node : graph_.inputs) is_input[graph_.nodes[node].first_output] = true;
    for (size_t i = 0; i < num_entries_; ++i) {
      if (graph_.entries[i].storage_id < 0 && !is_input[i]) {
        storage_id[1][i].Fail("a storage id from 0 (Do not support runtime shape op)");
      }
    }
  }

  const JsonObject& top_;
  Graph graph_;
  size_t num_entries_ = 0;
};

}  // namespace

Graph ParseGraph(std::string_view json) {
  const Value document = ParseJSON(json, kDocument);
  const Json root(document, kDocument, json);
  return GraphReader(JsonObject(root)).Read();
}

}  // namespace tvmgo
