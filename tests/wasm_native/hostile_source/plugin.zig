//! A component that does what a plugin should not, one thing an operation.

const std = @import("std");
const world = @import("world.zig");

comptime {
    world.serve(@This());
}

fn operation(comptime name: []const u8, comptime more: []const u8) []const u8 {
    return "{\"name\": \"" ++ name ++ "\", \"params_schema\": {\"type\": \"object\"}" ++ more ++ "}";
}

pub const description = "{\"operations\": [" ++
    operation("add", "") ++ "," ++
    operation("greet", "") ++ "," ++
    operation("spin", "") ++ "," ++
    operation("trap", "") ++ "," ++
    operation("recurse", "") ++ "," ++
    operation("eat_memory", "") ++ "," ++
    operation("no_json", "") ++ "," ++
    operation("deep_json", "") ++ "," ++
    operation("huge_result", "") ++ "," ++
    operation("no_utf8", "") ++ "," ++
    operation("call_other", "") ++ "," ++
    operation("speak", "") ++ "," ++
    operation("fail", "") ++ "," ++
    operation("stream_for_ever", ", \"stream\": true") ++ "," ++
    operation("stream_no_json", ", \"stream\": true") ++ "," ++
    operation("stream_and_spin", ", \"stream\": true") ++
    "]}";

var sum: i64 = 0;
var greeting: []const u8 = "null";
var kept: [64 * 1024]u8 = undefined;
var sink: u32 = 0;

pub fn initialize(config: []const u8) !void {
    if (config.len > kept.len) return error.ConfigTooLarge;
    @memcpy(kept[0..config.len], config);
    greeting = kept[0..config.len];
    if (std.mem.indexOf(u8, config, "spin_at_start") != null) spin();
    if (std.mem.indexOf(u8, config, "fail_at_start") != null) return error.NotToday;
}

pub fn execute(name: []const u8, params: []const u8) ![]const u8 {
    const table = .{
        .{ "add", add },
        .{ "greet", greet },
        .{ "spin", spinOperation },
        .{ "trap", trap },
        .{ "recurse", recurseOperation },
        .{ "eat_memory", eatMemory },
        .{ "no_json", noJson },
        .{ "deep_json", deepJson },
        .{ "huge_result", hugeResult },
        .{ "no_utf8", noUtf8 },
        .{ "call_other", callOther },
        .{ "speak", speak },
        .{ "fail", fail },
        .{ "stream_for_ever", streamForEver },
        .{ "stream_no_json", streamNoJson },
        .{ "stream_and_spin", streamAndSpin },
    };
    inline for (table) |one| {
        if (std.mem.eql(u8, name, one[0])) return one[1](params);
    }
    return error.UnknownOperation;
}

fn add(params: []const u8) ![]const u8 {
    const Numbers = struct { n: i64 = 1 };
    sum += (try std.json.parseFromSliceLeaky(Numbers, world.arena(), params, .{})).n;
    return std.json.Stringify.valueAlloc(world.arena(), sum, .{});
}

fn greet(_: []const u8) ![]const u8 {
    return greeting;
}

fn spin() void {
    const look: *volatile u32 = &sink;
    while (true) look.* +%= 1;
}

fn spinOperation(_: []const u8) ![]const u8 {
    spin();
    return "null";
}

fn trap(_: []const u8) ![]const u8 {
    world.print(.stdout, "about to trap\n");
    @trap();
}

fn recurse(depth: u32) u32 {
    var room: [256]u8 = undefined;
    const look: *volatile u8 = &room[depth % 256];
    look.* = 1;
    return recurse(depth + 1) + look.*;
}

fn recurseOperation(_: []const u8) ![]const u8 {
    sink = recurse(0);
    return "null";
}

fn eatMemory(_: []const u8) ![]const u8 {
    var mebibytes: u64 = 0;
    while (mebibytes < 4096) : (mebibytes += 1) {
        const more = std.heap.wasm_allocator.alloc(u8, 1 << 20) catch break;
        @memset(more, 1);
    }
    return std.json.Stringify.valueAlloc(world.arena(), mebibytes, .{});
}

fn noJson(_: []const u8) ![]const u8 {
    return "{\"open\": ";
}

fn deepJson(_: []const u8) ![]const u8 {
    const text = try world.arena().alloc(u8, 1_000_000);
    @memset(text, '[');
    return text;
}

fn hugeResult(_: []const u8) ![]const u8 {
    const text = try world.arena().alloc(u8, 80 << 20);
    @memset(text, 'a');
    text[0] = '"';
    text[text.len - 1] = '"';
    return text;
}

fn noUtf8(_: []const u8) ![]const u8 {
    return "\"\xff\xfe\"";
}

fn callOther(params: []const u8) ![]const u8 {
    const Wanted = struct { plugin: []const u8, operation: []const u8 };
    const wanted = try std.json.parseFromSliceLeaky(Wanted, world.arena(), params, .{});
    return switch (world.callPlugin(wanted.plugin, wanted.operation, "{}")) {
        .result => |text| text,
        .failure => |text| std.json.Stringify.valueAlloc(
            world.arena(),
            .{ .failure = text },
            .{},
        ),
    };
}

fn speak(_: []const u8) ![]const u8 {
    world.print(.stdout, "out\n");
    world.print(.stderr, "err\n");
    world.log(.warning, "mind the gap");
    world.progress(1, 4, "a quarter");
    world.progress(2, null, "");
    return "null";
}

fn fail(_: []const u8) ![]const u8 {
    return error.OutOfCheese;
}

fn streamForEver(_: []const u8) ![]const u8 {
    while (world.yieldItem("1")) sum += 1;
    return "null";
}

fn streamNoJson(_: []const u8) ![]const u8 {
    _ = world.yieldItem("nonsense");
    return "null";
}

fn streamAndSpin(_: []const u8) ![]const u8 {
    while (true) _ = world.yieldItem("1"); // whatever it is told
}

pub fn saveState() !?[]const u8 {
    return try std.json.Stringify.valueAlloc(world.arena(), sum, .{});
}

pub fn restoreState(saved: []const u8) !void {
    sum = try std.json.parseFromSliceLeaky(i64, world.arena(), saved, .{});
}
