import ts from 'typescript';

/**
 * Forbids `record[key]`, `key in record` and `record[key] = …` if the record is a plain object that may have any string
 * as its key. Every object inherits `constructor`, `toString` and the like, so a look-up of a cluster, a label or a
 * parameter with such a name would find a function; and writing the key `__proto__` adds no key. The rule allows keys
 * that cannot be such a name: numbers, symbols, and strings of which the types list every one.
 */
export const ownLookUp = {
  meta: {
    type: 'problem',
    messages: {
      read: 'Every object has a key such as `constructor`: use ownValue of etl/, Object.hasOwn, or a Map.',
      in: 'A key such as `constructor` is in every object: use Object.hasOwn, or a Map.',
    },
    schema: [],
  },
  create(context) {
    const { program, esTreeNodeToTSNodeMap } = context.sourceCode.parserServices;
    const checker = program.getTypeChecker();
    const typeOf = (node) => checker.getTypeAtLocation(esTreeNodeToTSNodeMap.get(node));
    const partsOf = (type) => (type.isUnion() ? type.types : [type]);

    /** Returns whether the value is a plain object in which any string may be looked up. */
    const isOpen = (node) =>
      partsOf(checker.getNonNullableType(typeOf(node))).some((part) =>
        checker.getIndexInfoOfType(checker.getApparentType(part), ts.IndexKind.String),
      );
    const isAnyString = (node) => {
      const own = typeOf(node);
      return partsOf(checker.getBaseConstraintOfType(own) ?? own).some((part) => (part.flags & known) === 0);
    };

    return {
      MemberExpression(node) {
        if (!node.computed || node.property.type === 'Literal' || isOnlyWritten(node)) return;
        if (isAnyString(node.property) && isOpen(node.object)) context.report({ node, messageId: 'read' });
      },
      "BinaryExpression[operator='in']"(node) {
        if (node.left.type !== 'Literal' && node.left.type !== 'PrivateIdentifier' && isAnyString(node.left))
          context.report({ node, messageId: 'in' });
      },
    };
  },
};

/** Types of keys that are harmless. */
const known = ts.TypeFlags.StringLiteral | ts.TypeFlags.NumberLike | ts.TypeFlags.ESSymbolLike;

function isOnlyWritten(node) {
  const { parent } = node;
  if (parent.type === 'UnaryExpression') return parent.operator === 'delete';
  return parent.type === 'AssignmentExpression' && parent.operator === '=' && parent.left === node;
}
