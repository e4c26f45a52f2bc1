"""The tensor program: types, expressions, statements, printing, rewriting. Knows nothing else.

The whole grammar (see the modules for the meaning of each):

    Program   = functions globals structs macros
    Function  = name params body ret, role kernel | device | host
    Stmt      = Decl | Assign | For | While | If | Switch | Scope | Break | Continue | Return
              | Eval | Barrier | Instr | Launch | LeftOut
    Expr      = Const | Text | Var | Axis | Unary | Binary | Select | Cast | Bits | Call
              | Index | Field | AddressOf | Aggregate
    Type      = Scalar | Vector | Struct | Pointer | Array | Fragment | Opaque
"""
