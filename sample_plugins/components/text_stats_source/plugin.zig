//! What a plugin written in Zig says and does. How it talks to its host is in `world.zig`.

const std = @import("std");
const world = @import("world.zig");

comptime {
    world.serve(@This());
}

pub const description =
    \\{"doc": "Counts what is in texts.", "operations": [
    \\  {"name": "count", "description": "Count the lines, words and bytes of a text.",
    \\   "signature": "count(text: str) -> dict",
    \\   "params_schema": {"type": "object", "properties": {"text": {"type": "string"}},
    \\                     "required": ["text"], "additionalProperties": false},
    \\   "result_schema": {"type": "object", "additionalProperties": {"type": "integer"}}},
    \\  {"name": "words", "description": "Give the words of a text one by one.", "stream": true,
    \\   "signature": "words(text: str)",
    \\   "params_schema": {"type": "object", "properties": {"text": {"type": "string"}},
    \\                     "required": ["text"], "additionalProperties": false},
    \\   "result_schema": {"type": "string"}},
    \\  {"name": "total", "description": "How many words have been counted so far.",
    \\   "signature": "total() -> int",
    \\   "params_schema": {"type": "object", "properties": {}, "additionalProperties": false},
    \\   "result_schema": {"type": "integer"}}
    \\]}
;

const State = struct { words: u64 = 0 };
const Text = struct { text: []const u8 };

var state: State = .{};

pub fn initialize(config: []const u8) !void {
    _ = config;
    world.log(.debug, "ready to count");
}

/// The result of an operation as JSON; an error's name becomes the type of the failure.
pub fn execute(operation: []const u8, params: []const u8) ![]const u8 {
    if (std.mem.eql(u8, operation, "count")) return count(try parsed(Text, params));
    if (std.mem.eql(u8, operation, "words")) return words(try parsed(Text, params));
    if (std.mem.eql(u8, operation, "total")) return json(state.words);
    return error.UnknownOperation;
}

fn count(params: Text) ![]const u8 {
    var found: u64 = 0;
    var each = std.mem.tokenizeAny(u8, params.text, " \t\r\n");
    while (each.next()) |_| found += 1;
    state.words += found;
    return json(.{
        .lines = std.mem.count(u8, params.text, "\n") + @intFromBool(params.text.len > 0),
        .words = found,
        .bytes = params.text.len,
    });
}

fn words(params: Text) ![]const u8 {
    var each = std.mem.tokenizeAny(u8, params.text, " \t\r\n");
    while (each.next()) |word| {
        if (!world.yieldItem(try json(word))) break; // nobody wants the rest
    }
    return "null";
}

pub fn saveState() !?[]const u8 {
    return try json(state);
}

pub fn restoreState(saved: []const u8) !void {
    state = try parsed(State, saved);
}

fn parsed(comptime T: type, text: []const u8) !T {
    return std.json.parseFromSliceLeaky(T, world.arena(), text, .{});
}

fn json(value: anytype) ![]const u8 {
    return std.json.Stringify.valueAlloc(world.arena(), value, .{});
}
