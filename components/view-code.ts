import { isBuiltin } from "node:module";
import { type AnyNode, type Expression, type ObjectExpression, type Pattern, type Program, parse } from "acorn";

/** An application's module as one module of JavaScript, and what is known of it. */
export interface ApplicationCode {
  /** Its text, as esbuild bundles it. The functions that define views and schemas are imported in it. */
  readonly text: string;
  /** The view's place among the application's views, from 0. */
  readonly view: number;
  /** How many views the application has. */
  readonly views: number;
  /** Whether calling what a module exports does nothing but make a value, as `view` and `z.object` do. */
  readonly isPure: (module: string) => boolean;
}

/**
 * The part of an application's module that decides on the rows of one view: what the view and the events' schema use,
 * and every statement that may do more than define something. What only other views use is left out. Where the module
 * is written in a way in which that cannot be told, it is all of the module.
 *
 * @returns the text of a module that exports nothing but these
 */
export function viewCode({ text, view, views, isPure }: ApplicationCode): string {
  const program = parse(text, { ecmaVersion: "latest", sourceType: "module" });
  const source = (node: AnyNode) => text.slice(node.start, node.end);
  const pieces = program.body.flatMap((statement) => piecesOf(statement, source));
  const application = applicationOf(program, views);
  if (application === undefined) return text;
  const roots = [...application.others, application.views[view] as Expression];
  const declared = Map.groupBy(
    pieces.flatMap((piece) => piece.names.map((name) => ({ name, piece }))),
    ({ name }) => name,
  );
  const pure = pureNames(program, isPure);

  const kept = new Set<Piece>();
  const keep = (piece: Piece) => {
    if (kept.has(piece)) return;
    kept.add(piece);
    for (const name of piece.uses) follow(name);
  };
  const follow = (name: string) => {
    for (const { piece } of declared.get(name) ?? []) keep(piece);
  };
  // What the application is made of is looked at one by one, in its place.
  const isApplication = ({ names }: Piece) =>
    names.includes(application.name) && application.views.every((each) => isPureExpression(each, pure));
  for (const piece of pieces)
    if (piece.import === undefined && !isRemovable(piece, pure) && !isApplication(piece)) keep(piece);
  for (const root of roots) for (const name of namesIn(root)) follow(name);

  const lines = pieces.flatMap((piece) => {
    if (kept.has(piece)) return [piece.text];
    // A package may do more than define something when it is loaded.
    return piece.import === undefined || isPure(piece.import) || isBuiltin(piece.import)
      ? []
      : [`import ${JSON.stringify(piece.import)};`];
  });
  return [...lines, `export default [${roots.map(source).join(", ")}];`].join("\n");
}

/** A statement, or one name that it declares. */
interface Piece {
  readonly text: string;
  /** What it declares. */
  readonly names: readonly string[];
  /** The names that stand in it. */
  readonly uses: ReadonlySet<string>;
  /** The module that it imports. */
  readonly import?: string;
  /** What runs when the module is loaded; undefined if nothing does. */
  readonly runs: AnyNode | undefined;
}

function piecesOf(statement: Program["body"][number], source: (node: AnyNode) => string): Piece[] {
  const uses = namesIn(statement);
  switch (statement.type) {
    case "ImportDeclaration":
      return [
        {
          text: source(statement),
          names: statement.specifiers.map(({ local }) => local.name),
          uses,
          ...(statement.specifiers.length > 0 && { import: String(statement.source.value) }),
          runs: statement,
        },
      ];
    case "FunctionDeclaration":
      return [{ text: source(statement), names: [statement.id.name], uses, runs: undefined }];
    case "VariableDeclaration":
      return statement.declarations.map((declaration) => ({
        text: `${statement.kind} ${source(declaration)};`,
        names: namesOf(declaration.id),
        uses: namesIn(declaration),
        // A pattern reads properties of what may be anything.
        runs: declaration.id.type === "Identifier" ? (declaration.init ?? undefined) : declaration,
      }));
    case "ClassDeclaration":
      return [{ text: source(statement), names: [statement.id.name], uses, runs: statement }];
    case "ExportNamedDeclaration":
      // What a bundle ends with: names that are declared above.
      if (statement.declaration == null && statement.source == null) return [];
      break;
  }
  return [{ text: source(statement), names: [], uses, runs: statement }];
}

/** Whether nothing is lost without the piece where nobody uses its names. */
function isRemovable({ runs, names }: Piece, pure: ReadonlySet<string>): boolean {
  return runs === undefined || (names.length > 0 && isPureExpression(runs, pure));
}

/** Values of JavaScript's own that can be made without any effect. */
const pureConstructors = new Set(["Map", "Set", "WeakMap", "RegExp", "Date", "URL"]);
/** What of zod does more than make a value: it changes how all schemas work, or calls what it is given at once. */
const settings = new Set(["config", "globalConfig", "globalRegistry", "register", "apply"]);

/** Whether the expression only makes a value: it changes nothing, and what it makes depends on what stands in it. */
function isPureExpression(node: AnyNode, pure: ReadonlySet<string>): boolean {
  const all = (...nodes: (AnyNode | null | undefined)[]) =>
    nodes.every((each) => each == null || isPureExpression(each, pure));
  switch (node.type) {
    case "Literal":
    case "Identifier":
    case "FunctionExpression":
    case "ArrowFunctionExpression":
      return true;
    case "TemplateLiteral":
      return all(...node.expressions);
    case "ArrayExpression":
      return all(...node.elements);
    case "ObjectExpression":
      return node.properties.every((property) =>
        property.type === "SpreadElement"
          ? all(property)
          : all(property.computed ? property.key : undefined, property.value),
      );
    case "SpreadElement":
      return all(node.argument);
    case "MemberExpression":
      return all(node.object, node.computed ? node.property : undefined);
    case "ChainExpression":
    case "ParenthesizedExpression":
      return all(node.expression);
    case "UnaryExpression":
      return node.operator !== "delete" && all(node.argument);
    case "BinaryExpression":
    case "LogicalExpression":
      return all(node.left, node.right);
    case "ConditionalExpression":
      return all(node.test, node.consequent, node.alternate);
    case "NewExpression":
      return node.callee.type === "Identifier" && pureConstructors.has(node.callee.name) && all(...node.arguments);
    case "CallExpression":
      return isPureCallee(node.callee, pure) && all(...node.arguments);
    default:
      return false;
  }
}

/** Whether it is a function of a module whose functions only make values, or a method of what one has made. */
function isPureCallee(callee: AnyNode, pure: ReadonlySet<string>): boolean {
  switch (callee.type) {
    case "Identifier":
      return pure.has(callee.name) && !settings.has(callee.name);
    case "MemberExpression":
      return (
        !callee.computed &&
        callee.property.type === "Identifier" &&
        !settings.has(callee.property.name) &&
        isPureCallee(callee.object, pure)
      );
    case "CallExpression":
      return isPureExpression(callee, pure);
    default:
      return false;
  }
}

/** The names under which functions are imported that only make values. */
function pureNames(program: Program, isPure: (module: string) => boolean): Set<string> {
  const names = program.body.flatMap((statement) =>
    statement.type === "ImportDeclaration" && isPure(String(statement.source.value))
      ? statement.specifiers.filter((each) => !isSetting(each)).map(({ local }) => local.name)
      : [],
  );
  return new Set(names);
}

function isSetting(specifier: AnyNode): boolean {
  return (
    specifier.type === "ImportSpecifier" &&
    specifier.imported.type === "Identifier" &&
    settings.has(specifier.imported.name)
  );
}

/** The application as it stands in the module: its name, its views, and what else it is made of. */
interface ApplicationParts {
  readonly name: string;
  readonly views: readonly Expression[];
  readonly others: readonly Expression[];
}

/** @returns undefined if the application is not made with lists of views as they stand there */
function applicationOf(program: Program, views: number): ApplicationParts | undefined {
  const initial = new Map<string, Expression>();
  for (const statement of program.body)
    if (statement.type === "VariableDeclaration")
      for (const { id, init } of statement.declarations)
        if (id.type === "Identifier" && init != null) initial.set(id.name, init);
  const exported = program.body
    .flatMap((statement) => (statement.type === "ExportNamedDeclaration" ? statement.specifiers : []))
    .find((each) => each.exported.type === "Identifier" && each.exported.name === "default")?.local;
  if (exported?.type !== "Identifier") return undefined;
  const call = initial.get(exported.name);
  const args = call?.type === "CallExpression" && call.arguments.length === 1 ? call.arguments[0] : undefined;
  if (args?.type !== "ObjectExpression") return undefined;
  const parts = partsOf(args);
  const list = parts?.get("views");
  const elements = list && elementsOf(list, initial);
  // As many as there are when it runs: then nobody has put others in their place.
  if (parts === undefined || elements?.length !== views) return undefined;
  const others = [...parts].filter(([name]) => name !== "views").map(([, value]) => value);
  return { name: exported.name, views: elements, others };
}

/** The values of an object by their names; undefined if there are others than plain ones. */
function partsOf(object: ObjectExpression): Map<string, Expression> | undefined {
  const parts = new Map<string, Expression>();
  for (const property of object.properties) {
    if (property.type !== "Property" || property.computed || property.kind !== "init") return undefined;
    if (property.key.type !== "Identifier") return undefined;
    parts.set(property.key.name, property.value);
  }
  return parts;
}

/** The elements of a list as it stands there, or under a name, or of such lists put together. */
function elementsOf(list: Expression, initial: ReadonlyMap<string, Expression>): Expression[] | undefined {
  if (list.type === "Identifier") {
    const value = initial.get(list.name);
    return value?.type === "ArrayExpression" ? elementsOf(value, initial) : undefined;
  }
  if (list.type !== "ArrayExpression") return undefined;
  const found: Expression[] = [];
  for (const element of list.elements) {
    if (element === null) return undefined;
    const elements = element.type === "SpreadElement" ? elementsOf(element.argument, initial) : [element];
    if (elements === undefined) return undefined;
    found.push(...elements);
  }
  return found;
}

function namesOf(pattern: Pattern): string[] {
  return pattern.type === "Identifier" ? [pattern.name] : [...namesIn(pattern)];
}

/** Every name in the code that may be a variable's; more than there are, where one is hidden by a parameter. */
function namesIn(node: AnyNode): Set<string> {
  const names = new Set<string>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const element of value) visit(element);
    if (typeof value !== "object" || value === null || !("type" in value)) return;
    const each = value as AnyNode;
    if (each.type === "Identifier") names.add(each.name);
    for (const [key, child] of Object.entries(each)) {
      const isPropertyName =
        (each.type === "MemberExpression" && key === "property" && !each.computed) ||
        ((each.type === "Property" || each.type === "MethodDefinition" || each.type === "PropertyDefinition") &&
          key === "key" &&
          !each.computed);
      if (!isPropertyName) visit(child);
    }
  };
  visit(node);
  return names;
}
